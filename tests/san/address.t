#!/bin/sh
# Everything below the libc names, and the reader of recordings, under AddressSanitizer and UBSan.
. "$(dirname "$0")/lib.sh"
sanitized address,undefined unit/chunk_test unit/class_test unit/leaks_test unit/mark_test \
    unit/sites_test unit/tags_test unit/unwind_test unit/load_test unit/timeline_test unit/moments_test unit/tally_test unit/sample_test unit/hostile_test stress/shadow_test \
    famine/heap_test unit/layout_test unit/tracking_allocator_test unit/region_test unit/box_test \
    unit/slice_test unit/vec_test unit/pool_test unit/rc_test unit/own_model_test unit/once_test unit/mutex_test unit/file_test \
    unit/stack_test unit/task_test unit/channel_test unit/task_fault_test stress/task_test \
    unit/gc_test unit/gc_bad_test stress/gc_test famine/gc_test
