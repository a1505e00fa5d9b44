"""Experiments: the seed project's questions, repeated with several seeds and intervals.

plan.py            designs: arms, seeds, claims       running.py    trains and measures, resumes
rows.py            training rows of an arm            worker.py     measures one adapter (torch)
question_sets.py   questions for every arm            losses.py     bits of a completion (torch)
chinese.py         sixty Chinese records              results.py    one line per run
comparing.py       paired differences, bootstrapped   verdicts.py   claims against the runs
summary.py         rows of the tables                 plot.py       loss curves

An experiment trains its own adapters in its own folder. It opens no database, and no pool but `selection`.
"""
