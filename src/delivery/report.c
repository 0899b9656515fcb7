#include "report.h"
int report_write(const struct holding *h, const struct run_facts *run, struct stage *stage, struct err *err)
{
	(void)h;
	(void)run;
	(void)stage;
	(void)err;
	return 0;
}
