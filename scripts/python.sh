# Sourced by the scripts that make an environment: sets $python, $PYTHON or else the first that is new enough.
for python in ${PYTHON:+"$PYTHON"} python3.11 python3.12 python3.13 python3 python; do
  if "$python" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' 2>/dev/null; then return 0; fi
  [[ -z "${PYTHON:-}" ]] || break
done
echo "Saiten needs Python 3.11, 3.12 or 3.13 (found none${PYTHON:+ in PYTHON=$PYTHON}): install one, or name it: PYTHON=/path/to/python3 $0" >&2
exit 2
