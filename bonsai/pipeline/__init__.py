"""The steps of the loop: each reads, lets the stages decide, and writes. What the CLI, the flows and the pages call.

records/       files and the inbox -> stored records; edit, tag, settle, forget
nights/        a night, step by step; what it trains on; watched and stopped
verdicts/      why one was promoted or refused; blind reviews; the benchmark by hand
asking/        questions to the champion and to others beside it
people.py      what people do to records and promotions
keeping.py     export, check, back up                        adapters.py       passports, lineage, files
experimenting.py   experiments in a home                     parts.py          what every step is given
"""

from __future__ import annotations

from bonsai.pipeline.asking.answering import Answer as Answer
from bonsai.pipeline.asking.answering import ask as ask
from bonsai.pipeline.asking.answering import ask_all as ask_all
from bonsai.pipeline.keeping import backup as backup
from bonsai.pipeline.keeping import check as check
from bonsai.pipeline.keeping import export_records as export_records
from bonsai.pipeline.keeping import rebuild as rebuild
from bonsai.pipeline.keeping import stream_records as stream_records
from bonsai.pipeline.nights.learning import Learned as Learned
from bonsai.pipeline.nights.night import NightStart as NightStart
from bonsai.pipeline.nights.night import begin_night as begin_night
from bonsai.pipeline.nights.night import benchmark_night as benchmark_night
from bonsai.pipeline.nights.night import decide_night as decide_night
from bonsai.pipeline.nights.night import promote_night as promote_night
from bonsai.pipeline.nights.night import run_night as run_night
from bonsai.pipeline.nights.night import train_night as train_night
from bonsai.pipeline.nights.stopping import cancel_night as cancel_night
from bonsai.pipeline.nights.stopping import dead_nights as dead_nights
from bonsai.pipeline.nights.stopping import fail_night as fail_night
from bonsai.pipeline.nights.watching import snapshot_made as snapshot_made
from bonsai.pipeline.nights.watching import watched as watched
from bonsai.pipeline.parts import Bonsai as Bonsai
from bonsai.pipeline.people import approve as approve
from bonsai.pipeline.people import exclude_records as exclude_records
from bonsai.pipeline.people import reject as reject
from bonsai.pipeline.people import release_records as release_records
from bonsai.pipeline.people import retag as retag
from bonsai.pipeline.people import rollback as rollback
from bonsai.pipeline.records.checking import preview_file as preview_file
from bonsai.pipeline.records.draining import Drained as Drained
from bonsai.pipeline.records.draining import drain_inbox as drain_inbox
from bonsai.pipeline.records.draining import submit as submit
from bonsai.pipeline.records.editing import edit_record as edit_record
from bonsai.pipeline.records.editing import restore_version as restore_version
from bonsai.pipeline.records.following import Followed as Followed
from bonsai.pipeline.records.following import follow as follow
from bonsai.pipeline.records.forgetting import Forgotten as Forgotten
from bonsai.pipeline.records.forgetting import forget_records as forget_records
from bonsai.pipeline.records.intake import Counts as Counts
from bonsai.pipeline.records.intake import import_file as import_file
from bonsai.pipeline.records.mending import Mended as Mended
from bonsai.pipeline.records.mending import dismiss_reject as dismiss_reject
from bonsai.pipeline.records.mending import mend_reject as mend_reject
from bonsai.pipeline.records.pairs import Resolved as Resolved
from bonsai.pipeline.records.pairs import reopen_pair as reopen_pair
from bonsai.pipeline.records.pairs import resolve_pair as resolve_pair
from bonsai.pipeline.records.similar import similar_records as similar_records
from bonsai.pipeline.records.similar import similar_to as similar_to
from bonsai.pipeline.records.tagging import tag_record as tag_record
from bonsai.pipeline.records.tagging import tag_records as tag_records
from bonsai.pipeline.records.tagging import take_back_tags as take_back_tags
from bonsai.pipeline.verdicts.compared import Compared as Compared
from bonsai.pipeline.verdicts.compared import Wanted as Wanted
from bonsai.pipeline.verdicts.compared import list_answers as list_answers
from bonsai.pipeline.verdicts.data_changes import DataChanges as DataChanges
from bonsai.pipeline.verdicts.data_changes import data_changes_of as data_changes_of
from bonsai.pipeline.verdicts.evidence import Beside as Beside
from bonsai.pipeline.verdicts.evidence import beside as beside
from bonsai.pipeline.verdicts.examining import benchmark_power as benchmark_power
from bonsai.pipeline.verdicts.examining import benchmark_report as benchmark_report
from bonsai.pipeline.verdicts.examining import compare_adapters as compare_adapters
from bonsai.pipeline.verdicts.examining import run_benchmark as run_benchmark
from bonsai.pipeline.verdicts.explaining import Explanation as Explanation
from bonsai.pipeline.verdicts.explaining import explain as explain
from bonsai.pipeline.verdicts.owners_suite import SuiteState as SuiteState
from bonsai.pipeline.verdicts.owners_suite import Written as Written
from bonsai.pipeline.verdicts.owners_suite import add_question as add_question
from bonsai.pipeline.verdicts.owners_suite import retire_questions as retire_questions
from bonsai.pipeline.verdicts.owners_suite import suite_history as suite_history
from bonsai.pipeline.verdicts.owners_suite import suite_state as suite_state
from bonsai.pipeline.verdicts.reviewing import Review as Review
from bonsai.pipeline.verdicts.reviewing import Standing as Standing
from bonsai.pipeline.verdicts.reviewing import give_verdict as give_verdict
from bonsai.pipeline.verdicts.reviewing import review_standing as review_standing
from bonsai.pipeline.verdicts.reviewing import take_back_verdict as take_back_verdict
