/* supervise: not written yet. */
#include "role.h"
