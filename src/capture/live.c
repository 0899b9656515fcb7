/* live: not written yet. */
#include "otway/live.h"
