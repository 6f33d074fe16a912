// fault.c: what the toolkit knows of a fault.
#include "own/fault.h"

#include "own/debug.h"
#include "own/tasks.h"

void own_fault(const void *at)
{
    tasks_fault(at);
    debug_fault(at);
}
