// libpq's own header, and what of it Swift does not see: the names of an error's fields, which are characters. All policy is in the Swift room `HubDatabase`.

#ifndef PRINTTRAIL_CPOSTGRES_SHIM_H
#define PRINTTRAIL_CPOSTGRES_SHIM_H

#include <postgresql/libpq-fe.h>

static const int cpostgres_state_field = PG_DIAG_SQLSTATE;
static const int cpostgres_message_field = PG_DIAG_MESSAGE_PRIMARY;

#endif
