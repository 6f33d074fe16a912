// lock_order.h: LOAM=debug=on: in which order a program takes its loam mutexes.
//
// Two threads that take two locks in two orders wait for each other one day, in front of a
// customer. The orders themselves are seen on any day: each pair "held A, took B" is kept, and a
// pair that closes a ring with earlier ones is told with the places of both.
#pragma once

#include "base/base.h"

void lock_order_take(const void *lock); // before it waits
void lock_order_took(const void *lock);
void lock_order_gave(const void *lock);
// What lies at this address is a new lock, or none any more.
void lock_order_reset(const void *lock);
