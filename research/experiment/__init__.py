"""Experiments: the seed project's questions, asked again with several seeds and intervals.

    plan.py        the designs: which arms, which seeds, which claims        running.py    trains and measures, resumes
    rows.py        what an arm trains on                                     worker.py     measures one adapter, heavy
    sheets.py      what every arm is asked                                   losses.py     bits of a completion, heavy
    chinese.py     sixty Chinese records and their held-out wordings         results.py    one line a run
    comparing.py   paired differences, seeds and clusters drawn again        verdicts.py   claims against the runs
    summary.py     the rows of the tables                                    plot.py       the loss curves

An experiment trains adapters of its own, in its own folder. It opens no database, and no pool but `selection`.
"""
