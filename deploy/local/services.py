"""`python3 deploy/local/services.py up|down|status|run PROGRAM…`: Apache Kafka and Redis on this machine.

Needs nothing but the standard library. docs/cluster.md tells what the environment may ask for.
"""

import sys

from local_services.commands import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
