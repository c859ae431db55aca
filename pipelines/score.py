"""`python -m saiten.pipelines.score` takes the flags of `saiten score`: Flex Templates start it so."""

import sys

if __name__ == "__main__":
    from saiten.pipelines.commands.main import main

    sys.exit(main(["score", *sys.argv[1:]]))
