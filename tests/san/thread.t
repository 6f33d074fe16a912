#!/bin/sh
# What several threads do together, under ThreadSanitizer.
. "$(dirname "$0")/lib.sh"
sanitized thread unit/chunk_test unit/sites_test unit/tags_test unit/unwind_test \
    stress/shadow_test famine/heap_test unit/tracking_allocator_test unit/region_test unit/rc_test unit/own_model_test unit/once_test unit/mutex_test unit/file_test \
    unit/stack_test unit/task_test unit/channel_test unit/task_fault_test stress/task_test \
    unit/world_test unit/tally_test unit/sample_test
