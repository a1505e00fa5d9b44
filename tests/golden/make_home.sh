#!/bin/sh
# How `home-0.1.0.tar.gz` was made, by version 0.1.0 itself: the bundled samples, one real night on the seedling,
# and what a person does afterwards. Some minutes on two cores. It is not made again: its worth is its age.
#
#     PYTHON=.venv/bin/python tests/golden/make_home.sh home-x.y.z.tar.gz
#
# The home lies at a fixed place, because the paths inside it are absolute (see test_old_home.py).
set -eu
archive=$1
export BONSAI_HOME=/tmp/bonsai-home-0.1.0 USER=mika LANG=C.UTF-8
test ! -e "$BONSAI_HOME"
samples=$(dirname "$0")/../../bonsai/samples
bonsai() { "${PYTHON:-python3}" -m bonsai.cli.main "$@"; }

bonsai init
bonsai records import "$samples/experience.jsonl" --source community
bonsai records import "$samples/messy.jsonl"
bonsai records add "Where does Mike sleep?" "Mike sleeps on the piano." --subject Mike --on 2026-01-05
bonsai records add "ミケはどこで寝ますか?" "ミケはピアノの上で寝ます。" --subject ミケ
bonsai benchmark add "What is the neighbour's dog called?" "The neighbour's dog is called Pochi." --wording "Name of the dog next door?"
bonsai night run
bonsai promotions list
bonsai ask "What does it mean when my cat sneezes?"
mike=$(bonsai records list --json --text "on the piano" | sed 's/.*"id": "\([0-9a-f]*\)".*/\1/')
bonsai records edit "$mike" --output "Mike sleeps on the old piano."
echo "correct horse battery" | bonsai users add mika --role reviewer
bonsai tokens add mika --scope read > /dev/null
bonsai db check

# Left out: what is made again when it is missing (the learned tagger, locks), and Prefect's own files.
tar --create --directory "$BONSAI_HOME" --sort=name --owner=0 --group=0 --numeric-owner \
    --exclude='./tagger-*.npz' --exclude='./*.lock*' --exclude='./*.writers*' --exclude=./prefect . | gzip -9n > "$archive"
