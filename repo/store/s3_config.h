/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the address of a store beyond this machine says:
 *
 *   s3://BUCKET[/PREFIX][?OPTION=VALUE&...]
 *   https://HOST[/PATH][?OPTION=VALUE&...]
 *
 * Options (values with %XX where they need it):
 *   endpoint  the S3 service's URL; default AWS_ENDPOINT_URL_S3,
 *             AWS_ENDPOINT_URL, else AWS's of the region
 *   region    default AWS_REGION, AWS_DEFAULT_REGION, the profile's, us-east-1
 *   profile   of the credentials; default AWS_PROFILE
 *   style     path or virtual (the bucket in the host's name); default path
 *             with an endpoint, else virtual
 *   ca        a file of certificates to trust as well; default AWS_CA_BUNDLE
 *   timeout   seconds that a request is tried for; default 60 for reading, 600
 *             for writing
 */
#ifndef YORE_STORE_S3_CONFIG_H
#define YORE_STORE_S3_CONFIG_H

#include <stdbool.h>
#include "repo/base/err.h"
#include "repo/store/http.h"

/* All strings are owned. */
struct s3_config {
	struct http_origin origin; /* of the service, or of the static tree */
	char *bucket;		   /* NULL: a static tree */
	char *prefix;		   /* of keys: "" or ends in '/' */
	char *region;
	char *profile;	    /* or NULL */
	char *ca_file;	    /* or NULL */
	char *name;	    /* for messages, and to tell repositories apart */
	unsigned timeout_s; /* 0: the default */
	bool virtual_host;
};

/* -EINVAL and others of http_origin_parse and s3_xml_load. */
int s3_config_parse(const char *address, struct s3_config *c, struct err *e);
void s3_config_release(struct s3_config *c);

/* An address with an endpoint added to its options; given.  NULL when it is no
 * s3:// address. */
char *s3_config_with_endpoint(const char *address, const char *endpoint);

#endif
