// keeper.h: a process that ends what a killed lab had started.
//
// The kernel kills an experiment with the lab, and what the experiment started itself with the
// experiment; further down it does not go: what a watched program starts would live on. The keeper
// sleeps until the lab dies, and then kills the experiment's whole process group.
#pragma once

#include <sys/types.h>

// Keep the process group `group`. The keeper's process; -1 if none could be started: then only
// grandchildren of a killed lab's experiment stay, until they end by themselves.
pid_t keeper_start(pid_t group);

// The experiment is over, and its group is gone.
void keeper_end(pid_t keeper);
