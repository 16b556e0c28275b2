// All messages at once; each group has a header of its own.
#pragma once

#include "tidepool/protocol/login_messages.h"
#include "tidepool/protocol/reply_messages.h"
#include "tidepool/protocol/statement_messages.h"
#include "tidepool/protocol/text_result.h"
