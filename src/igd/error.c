/* SPDX-License-Identifier: MIT */
#include "igd/igd.h"

const char *igd_error_name(int error)
{
	switch (error) {
	case IGD_ERROR_ARGUMENTS:
		return "InvalidArgs";
	case IGD_ERROR_ACTION_FAILED:
		return "ActionFailed";
	case IGD_ERROR_NOT_AUTHORIZED:
		return "ActionNotAuthorized";
	case IGD_ERROR_NO_SUCH_ENTRY:
		return "NoSuchEntryInArray";
	case IGD_ERROR_CONFLICT:
		return "ConflictInMappingEntry";
	case IGD_ERROR_SAME_PORTS:
		return "SamePortValuesRequired";
	case IGD_ERROR_PERMANENT_ONLY:
		return "OnlyPermanentLeasesSupported";
	case IGD_ERROR_NO_PORTS:
		return "NoPortMapsAvailable";
	case IGD_ERROR_OTHER_MECHANISM:
		return "ConflictWithOtherMechanisms";
	default: /* codes from the wire */
		return "unknown";
	}
}
