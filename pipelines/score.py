"""`python -m saiten.pipelines.score` takes the flags of `saiten score`: Flex Templates start it so."""

import sys

if __name__ == "__main__":
    if not sys.flags.safe_path:  # Python puts the folder where the person stands first: a json.py there is not ours
        del sys.path[0]
    from saiten.pipelines.commands.main import main
    from saiten.pipelines.commands.score_flags import without_values_of_switches

    sys.exit(main(["score", *without_values_of_switches(sys.argv[1:])]))
