"""The steps of the loop: each reads, lets the stages decide, and writes. What the CLI, the flows and the pages call.

intake.py      files -> stored records                       night.py       a night, step by step
draining.py    the inbox -> stored records                   preparing.py   suite, snapshot and job of a night
people.py      release, exclude, approve ...                 forgetting.py  out of the database and out of the files
editing.py     a record's texts, notes and versions          tagging.py     tags by a person, one or a queue
pairs.py       contradictions, duplicates: which one stays
asking.py      questions to the champion                     examining.py   the benchmark by hand
explaining.py  why one was promoted or refused               owners_suite.py  questions that an owner writes
compared.py    what both said to each open question          reviewing.py   a person's blind review of both
data_changes.py  records that one learned and one had not    learning.py    loss curves
evidence.py    what stands beside a verdict
keeping.py     export, check, back up                        voices.py      who is meant by `champion` or an id
asked.py       questions kept, thumbs, corrections            similar.py     records that are like a question
mending.py     rejected lines, mended or dismissed           uploading.py   uploaded files, confirmed and taken in
checking.py    what a file holds, before it is taken in      following.py   what became of what was told
suggesting.py  tags and twins of a record being written
watching.py    a night writes down how far it is             stopping.py    nights that fail, die or are cancelled
"""

from __future__ import annotations

from bonsai.pipeline.asking import Answer as Answer
from bonsai.pipeline.asking import ask as ask
from bonsai.pipeline.asking import ask_all as ask_all
from bonsai.pipeline.checking import preview_file as preview_file
from bonsai.pipeline.compared import Compared as Compared
from bonsai.pipeline.compared import Wanted as Wanted
from bonsai.pipeline.compared import list_answers as list_answers
from bonsai.pipeline.data_changes import DataChanges as DataChanges
from bonsai.pipeline.data_changes import data_changes_of as data_changes_of
from bonsai.pipeline.draining import Drained as Drained
from bonsai.pipeline.draining import drain_inbox as drain_inbox
from bonsai.pipeline.draining import submit as submit
from bonsai.pipeline.editing import edit_record as edit_record
from bonsai.pipeline.editing import restore_version as restore_version
from bonsai.pipeline.evidence import Beside as Beside
from bonsai.pipeline.evidence import beside as beside
from bonsai.pipeline.examining import benchmark_power as benchmark_power
from bonsai.pipeline.examining import benchmark_report as benchmark_report
from bonsai.pipeline.examining import compare_adapters as compare_adapters
from bonsai.pipeline.examining import run_benchmark as run_benchmark
from bonsai.pipeline.explaining import Explanation as Explanation
from bonsai.pipeline.explaining import explain as explain
from bonsai.pipeline.following import Followed as Followed
from bonsai.pipeline.following import follow as follow
from bonsai.pipeline.forgetting import Forgotten as Forgotten
from bonsai.pipeline.forgetting import forget_records as forget_records
from bonsai.pipeline.intake import Counts as Counts
from bonsai.pipeline.intake import import_file as import_file
from bonsai.pipeline.keeping import backup as backup
from bonsai.pipeline.keeping import check as check
from bonsai.pipeline.keeping import export_records as export_records
from bonsai.pipeline.keeping import rebuild as rebuild
from bonsai.pipeline.keeping import stream_records as stream_records
from bonsai.pipeline.learning import Learned as Learned
from bonsai.pipeline.mending import Mended as Mended
from bonsai.pipeline.mending import dismiss_reject as dismiss_reject
from bonsai.pipeline.mending import mend_reject as mend_reject
from bonsai.pipeline.night import NightStart as NightStart
from bonsai.pipeline.night import begin_night as begin_night
from bonsai.pipeline.night import benchmark_night as benchmark_night
from bonsai.pipeline.night import decide_night as decide_night
from bonsai.pipeline.night import promote_night as promote_night
from bonsai.pipeline.night import run_night as run_night
from bonsai.pipeline.night import train_night as train_night
from bonsai.pipeline.owners_suite import SuiteState as SuiteState
from bonsai.pipeline.owners_suite import Written as Written
from bonsai.pipeline.owners_suite import add_question as add_question
from bonsai.pipeline.owners_suite import retire_questions as retire_questions
from bonsai.pipeline.owners_suite import suite_history as suite_history
from bonsai.pipeline.owners_suite import suite_state as suite_state
from bonsai.pipeline.pairs import Resolved as Resolved
from bonsai.pipeline.pairs import resolve_pair as resolve_pair
from bonsai.pipeline.parts import Bonsai as Bonsai
from bonsai.pipeline.people import approve as approve
from bonsai.pipeline.people import exclude_records as exclude_records
from bonsai.pipeline.people import reject as reject
from bonsai.pipeline.people import release_records as release_records
from bonsai.pipeline.people import retag as retag
from bonsai.pipeline.people import rollback as rollback
from bonsai.pipeline.reviewing import Review as Review
from bonsai.pipeline.reviewing import Standing as Standing
from bonsai.pipeline.reviewing import give_verdict as give_verdict
from bonsai.pipeline.reviewing import review_standing as review_standing
from bonsai.pipeline.reviewing import take_back_verdict as take_back_verdict
from bonsai.pipeline.similar import similar_records as similar_records
from bonsai.pipeline.similar import similar_to as similar_to
from bonsai.pipeline.stopping import cancel_night as cancel_night
from bonsai.pipeline.stopping import dead_nights as dead_nights
from bonsai.pipeline.stopping import fail_night as fail_night
from bonsai.pipeline.tagging import tag_record as tag_record
from bonsai.pipeline.tagging import tag_records as tag_records
from bonsai.pipeline.tagging import take_back_tags as take_back_tags
from bonsai.pipeline.watching import snapshot_made as snapshot_made
from bonsai.pipeline.watching import watched as watched
