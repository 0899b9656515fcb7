/* msg: not written yet. */
#include "otway/model/msg.h"
