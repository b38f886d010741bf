#!/usr/bin/env bash
# A Slurm of two nodes on this machine, for tests: `slurm/ci/slurm.sh start`, `status`, `stop`. Needs root and Debian's apt.
#
# start   installs munge, slurmctld and slurmd if they are missing (a minute, once), and starts them (seconds)
# status  says whether it runs; exit code 0 if it does
# stop    cancels all jobs and stops what `start` has started, and nothing else
#
# The nodes n1 and n2 are two slurmd with ports of their own. The partition `cpu` is n1; `gpu` is n2, which claims two GPUs
# that are not there, so that requests for them can be tried; `both` is both. All that the daemons write lies in
# $LEHR_SLURM_DIR; only the config is where Slurm's programs look for it.
set -euo pipefail

root=${LEHR_SLURM_DIR:-/var/tmp/lehr-slurm}
conf=/etc/slurm/slurm.conf
mark="# Written by slurm/ci/slurm.sh of lehr."
packages=(slurmctld slurmd slurm-client munge libpmix2)

fail() {
    printf 'slurm.sh: error: %s\n' "$1" >&2
    exit 1
}

is_ours() {
    [[ -f $conf ]] && grep -qxF "$mark" "$conf"
}

answers() {
    timeout 5 scontrol ping >/dev/null 2>&1
}

is_ready() {
    answers && [[ $(timeout 5 sinfo --noheader --Node --partition both --format %T 2>/dev/null | grep -cE '^(idle|mixed|allocated)$') -eq 2 ]]
}

# A daemon that has ended remains a zombie if nobody waits for it, as in many containers: `kill -0` would call it alive.
is_alive() {
    local state
    state=$(sed 's/.*) //; s/ .*//' "/proc/$1/stat" 2>/dev/null) && [[ -n $state && $state != Z ]]
}

daemons() { # process numbers of what was started, last things first
    local name pid
    for name in slurmd-n1 slurmd-n2 slurmctld munged; do
        pid=$(cat "$root/$name.pid" 2>/dev/null || true)
        # a pid file may outlive its daemon, and its number may be another program's now
        if [[ -n $pid && $(cat "/proc/$pid/comm" 2>/dev/null) == "${name%%-*}" ]] && is_alive "$pid"; then
            echo "$pid"
        fi
    done
}

missing() {
    local package
    for package in "${packages[@]}"; do
        [[ $(dpkg-query --show --showformat '${db:Status-Status}' "$package" 2>/dev/null) == installed ]] || echo "$package"
    done
}

install_packages() {
    local lacking
    mapfile -t lacking < <(missing)
    [[ ${#lacking[@]} -eq 0 ]] && return
    echo "Installing ${lacking[*]} ..."
    export DEBIAN_FRONTEND=noninteractive
    # Debian starts daemons when it installs them, with a config that is not there yet.
    local policy=/usr/sbin/policy-rc.d made=
    if [[ ! -e $policy ]]; then
        printf '#!/bin/sh\nexit 101\n' >$policy && chmod +x $policy && made=yes
    fi
    local log
    log=$(mktemp)
    if ! { apt-get install --yes --no-install-recommends "${lacking[@]}" ||
        { apt-get update && apt-get install --yes --no-install-recommends "${lacking[@]}"; }; } </dev/null >"$log" 2>&1; then
        tail -n 20 "$log" >&2
        [[ -z $made ]] || rm -f $policy
        fail "apt-get cannot install ${lacking[*]} (above)"
    fi
    rm -f "$log"
    [[ -z $made ]] || rm -f $policy
}

write_config() {
    local host memory
    host=$(hostname --short)
    memory=$(awk '/^MemTotal:/ {print int($2 / 1024)}' /proc/meminfo)
    mkdir -p /etc/slurm
    cat >$conf.new <<CONF
$mark
ClusterName=lehr
SlurmctldHost=$host(127.0.0.1)
SlurmctldPort=26817
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
AuthInfo=socket=$root/munge.socket
CredType=cred/munge
StateSaveLocation=$root/state
SlurmdSpoolDir=$root/spool-%n
SlurmctldPidFile=$root/slurmctld.pid
SlurmdPidFile=$root/slurmd-%n.pid
SlurmctldLogFile=$root/slurmctld.log
SlurmdLogFile=$root/slurmd-%n.log
# no cgroups, no accounting: a container may have neither
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU_Memory
GresTypes=gpu
MpiDefault=pmi2
# an impossible request is refused, not kept waiting for ever
EnforcePartLimits=ALL
# ended jobs stay in squeue, whose word Snakemake takes
MinJobAge=3600
MaxJobCount=200
# Never a number twice: MPICH names the shared memory of ranks by job and step, and what killed ranks have left of it ends
# the next job of that name.
FirstJobId=$(($(date +%s) % 30000000 + 1))
KillWait=2
ReturnToService=2
SchedulerParameters=batch_sched_delay=0,sched_min_interval=100000,sched_interval=2,bf_interval=5
# lets nodes have more CPUs than the machine has cores
SlurmdParameters=config_overrides
NodeName=n1 NodeHostname=$host NodeAddr=127.0.0.1 Port=26821 CPUs=16 RealMemory=$memory
NodeName=n2 NodeHostname=$host NodeAddr=127.0.0.1 Port=26822 CPUs=16 RealMemory=$memory Gres=gpu:2
PartitionName=cpu Nodes=n1 Default=YES MaxTime=1-0 State=UP
PartitionName=gpu Nodes=n2 MaxTime=1-0 State=UP
PartitionName=both Nodes=n1,n2 MaxTime=1-0 State=UP
CONF
    mv $conf.new $conf
    cat >/etc/slurm/gres.conf <<CONF
$mark
NodeName=n2 Name=gpu File=/dev/null
NodeName=n2 Name=gpu File=/dev/zero
CONF
}

start() {
    if is_ours && is_ready; then
        echo "Slurm runs already."
        return
    fi
    [[ $(id -u) -eq 0 ]] || fail "it starts daemons: be root"
    command -v apt-get >/dev/null || fail "it installs Debian packages, but there is no apt-get"
    [[ ! -e $conf ]] || is_ours || fail "$conf belongs to another Slurm of this machine: use that one, or move it away"
    install_packages
    if [[ -n $(daemons) ]]; then # half of it runs
        stop
    fi
    rm -rf "$root/state" "$root"/spool-n? # jobs of the last time
    mkdir -p "$root/state" "$root/spool-n1" "$root/spool-n2"
    chmod 755 "$root"
    [[ -s $root/munge.key ]] || (umask 077 && head -c 128 /dev/urandom >"$root/munge.key")
    write_config
    munged --force --num-threads 2 --key-file "$root/munge.key" --socket "$root/munge.socket" --pid-file "$root/munged.pid" \
        --log-file "$root/munged.log" --seed-file "$root/munge.seed"
    slurmctld -i
    slurmd -N n1
    slurmd -N n2
    local tries
    for ((tries = 0; tries < 150; tries++)); do
        if is_ready; then
            echo "Slurm runs: $(sinfo --version), nodes n1 and n2, logs in $root"
            return
        fi
        # a node that was drained or lost when the daemons were stopped
        ((tries % 10 != 9)) || scontrol update nodename=n1,n2 state=resume >/dev/null 2>&1 || true
        sleep 0.2
    done
    tail -n 5 "$root"/*.log >&2
    fail "Slurm does not come up; the ends of its logs are above"
}

stop() {
    is_ours || { echo "Nothing to stop: no Slurm of this script." && return; }
    local pid pids tries
    if answers; then
        scancel --user "$(id -un)" 2>/dev/null || true
        for ((tries = 0; tries < 50; tries++)); do
            [[ -n $(squeue --noheader --states running,completing 2>/dev/null) ]] || break
            sleep 0.2
        done
    fi
    mapfile -t pids < <(daemons)
    [[ ${#pids[@]} -eq 0 ]] || kill "${pids[@]}"
    for pid in "${pids[@]}"; do
        for ((tries = 0; tries < 100; tries++)); do
            is_alive "$pid" || break
            sleep 0.1
        done
        ! is_alive "$pid" || kill -KILL "$pid"
    done
    rm -f "$conf" /etc/slurm/gres.conf "$root"/*.pid
    echo "Slurm is stopped."
}

case ${1:-} in
start) start ;;
stop) stop ;;
status)
    if is_ours && is_ready; then
        sinfo --Node --partition both
    else
        echo "Slurm does not run."
        exit 1
    fi
    ;;
*) fail "usage: $0 start|status|stop" ;;
esac
