/* gap: not written yet. */
#include "otway/model/gap.h"
