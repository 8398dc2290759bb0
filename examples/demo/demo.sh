# The main job, from policies to records and charts. `make demo` runs this in the root of the project.
set -eu
mkdir -p out
echo "== check the policies"
carepolicy check
echo "== run a log of events through them"
carepolicy run examples/demo/events.jsonl --output out/records.jsonl --dead-letters out/dead_letters.jsonl
echo "   records: out/records.jsonl; what could not be taken: out/dead_letters.jsonl"
echo "== one case of it"
carepolicy case show order-2001 --records out/records.jsonl | head -n 20
echo "== when is an e-mail of Friday afternoon due?"
carepolicy due "3 business hours" --from "2026-03-06 15:30" --explain
echo "== write the staff handbook, with its flowcharts"
carepolicy handbook --output out/handbook
echo "   open out/handbook/index.html in a browser; generated/ holds the same as it is kept in git"
