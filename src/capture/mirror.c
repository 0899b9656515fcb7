/* mirror: not written yet. */
#include "otway/mirror.h"
