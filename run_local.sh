#!/usr/bin/env bash
# Scores Japanese text on this machine, with nothing but Python and a package registry to start from.
#
#   ./run_local.sh                                             trains on sample reviews and scores others
#   ./run_local.sh --input=FILES --bundle=DIR --output=DIR     any flags of `saiten score`
#
# Without --bundle it takes the sample's, which it trains once; without --output it writes below local/.
set -euo pipefail
root="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
labels=(taste price service atmosphere cleanliness access volume overall)

say() { printf '%-13s%s\n' "$1" "$2" >&2; }
short() { echo "${1#"$PWD/"}"; }
comma_separated() { local IFS=,; echo "$*"; }
local="$(short "$root/local")"

bundle="" input="" output="" shows=true rest=()
while (($#)); do
  case "$1" in
    --bundle=* | --input=* | --output=*) flag="${1%%=*}" && printf -v "${flag#--}" %s "${1#*=}" ;;
    --bundle | --input | --output)
      (($# > 1)) || { echo "run_local.sh: $1 needs a value." >&2; exit 2; }
      printf -v "${1#--}" %s "$2" && shift ;;
    --check | --json | --help) shows=false && rest+=("$1") ;;
    *) rest+=("$1") ;;
  esac
  shift
done

"$root/scripts/setup"
if [[ " ${rest[*]-} " == *" --help "* ]]; then exec "$root/.venv/bin/saiten" score --help; fi

if [[ -z "$bundle" || -z "$input" ]] && [[ ! -f "$local/sample/reviews.jsonl" ]]; then
  "$root/.venv/bin/python" "$root/scripts/make_sample.py" --out="$local/sample" --seed=6
fi
if [[ -z "$bundle" ]]; then
  bundle="$local/bundle"
  if [[ ! -d "$bundle" ]]; then
    say "Training" "on $local/sample/train.jsonl, 12 passes; only now, some minutes"
    "$root/.venv/bin/saiten" train --input="$local/sample/train.jsonl" --text_field=text \
      --label_fields="$(comma_separated "${labels[@]}")" --bundle="$bundle" --epochs=12
  fi
fi
if [[ -z "$input" ]]; then
  input="$local/sample/reviews.jsonl"
  # The labels go along, so that they can be compared with the scores.
  rest+=(--id_field=id --keep_fields="text,$(comma_separated "${labels[@]/%/:float64}")" --allow_dead_letters)
  [[ -n "$output" ]] || { output="$local/run" && rest+=(--overwrite); }
fi
output="${output:-$local/run-$(date +%Y%m%d-%H%M%S)}"

say "Scoring" "$input with $bundle"
status=0
"$root/.venv/bin/saiten" score --input="$input" --bundle="$bundle" --output="$output" ${rest[@]+"${rest[@]}"} || status=$?
if $shows && [[ $status == 0 || $status == 3 ]]; then
  "$root/.venv/bin/python" "$root/scripts/show_scores.py" "$output"
  say "Scores" "$output/scores"
  say "Dead letters" "$output/dead_letters"
  say "Bundle" "$bundle"
  say "More" "$(short "$root/.venv/bin/saiten") inspect $output"
fi
exit $status
