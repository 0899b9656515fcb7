/*
 * cmd_kms: what the verbs of `otway kms` are in, where each is more than a few lines.
 */
#ifndef OTWAY_CLI_CMD_KMS_H
#define OTWAY_CLI_CMD_KMS_H

struct cli;
struct err;

int kms_serve(struct cli *c, struct err *err); /* kms_serve.c */
int kms_log(struct cli *c, struct err *err);   /* kms_log.c */
int kms_explain(struct cli *c, struct err *err); /* kms_explain.c */

#endif
