"""Start Horovod ranks in a Slurm allocation, on as many nodes as it has: ``lehr launch -n N COMMAND ...``.

`horovodrun` reaches other nodes by ssh, which many clusters forbid, and a Horovod built with Gloo does not know `srun`.
So srun starts the ranks here, and Horovod's own rendezvous server, in this process, lets them find each other. Each
rank is told its place in the world from what srun says of it; see `horovod_environment`.
"""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import sys
from collections.abc import Mapping, Sequence

from lehr.errors import LehrError

__all__ = ["horovod_environment", "launch"]


def launch(ranks: int, command: Sequence[str]) -> int:
    """Run a command on several Horovod ranks; the first that fails ends them all.

    Parameters
    ----------
    ranks : int
        How many; the allocation must have room for them.
    command : sequence of str
        Program and arguments.

    Returns
    -------
    int
        Exit code of srun: the largest of the ranks.

    Raises
    ------
    LehrError
        If this process is not in a Slurm allocation.
    """
    if "SLURM_JOB_ID" not in os.environ or shutil.which("srun") is None:
        raise LehrError(
            "`lehr launch` starts ranks with srun, and this process is not in a Slurm allocation",
            f"Get one (sbatch, salloc), or start them here: horovodrun -np {ranks} --gloo {' '.join(command)}",
        )
    from horovod.runner.http.http_server import RendezvousServer

    port = RendezvousServer().start()
    # HOROVOD_GLOO_IFACE, if the user has set it, goes along: by default Gloo listens where the host's name points to.
    environment = {
        **os.environ,
        "HOROVOD_CONTROLLER": "gloo",
        "HOROVOD_CPU_OPERATIONS": "gloo",
        "HOROVOD_GLOO_RENDEZVOUS_ADDR": socket.gethostname(),
        "HOROVOD_GLOO_RENDEZVOUS_PORT": str(port),
    }
    # Unbound, a rank sees all cores that the job has on its node, of which training takes a share.
    options = ["--distribution=block", "--kill-on-bad-exit=1", "--cpu-bind=none", "--mpi=none"]
    srun = ["srun", f"--ntasks={ranks}", *options, sys.executable, "-m", __name__]
    return subprocess.call([*srun, *command], env=environment)


def horovod_environment(step: Mapping[str, str]) -> dict[str, str]:
    """Return the variables that tell Horovod the number of a rank among all, on its node, and across nodes.

    Parameters
    ----------
    step : mapping
        Environment of a task that srun started.

    Returns
    -------
    dict of str to str
        Rank and size in the world, on this node, and among the ranks of the same number on all nodes.
    """
    on_nodes: list[int] = []  # ranks on each node; Slurm writes 4,2 or 4(x3),2
    for count, times in re.findall(r"(\d+)(?:\(x(\d+)\))?", step["SLURM_STEP_TASKS_PER_NODE"]):
        on_nodes += [int(count)] * int(times or 1)
    node, local = int(step["SLURM_NODEID"]), int(step["SLURM_LOCALID"])
    with_such_a_rank = [number for number, count in enumerate(on_nodes) if count > local]
    numbers = {
        "RANK": int(step["SLURM_PROCID"]),
        "SIZE": sum(on_nodes),
        "LOCAL_RANK": local,
        "LOCAL_SIZE": on_nodes[node],
        "CROSS_RANK": with_such_a_rank.index(node),
        "CROSS_SIZE": len(with_such_a_rank),
    }
    return {
        "HOROVOD_HOSTNAME": step["SLURMD_NODENAME"],
        **{f"HOROVOD_{name}": str(number) for name, number in numbers.items()},
    }


if __name__ == "__main__":  # what srun starts
    os.environ.update(horovod_environment(os.environ))
    os.execvp(sys.argv[1], sys.argv[1:])
