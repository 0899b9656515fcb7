/* common: not written yet. */
#include "role.h"
