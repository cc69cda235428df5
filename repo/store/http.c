/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "repo/store/http.h"

#include "repo/crypto/sign.h"
#include "repo/store/http_curl.h"
#include "repo/store/http_transfer.h"

struct http {
	char *ca_file;
};

static void
set_up(void)
{
	sign_outlive_exit();
	if (http_curl_load(NULL) == 0) /* else no origin was parsed */
		curl_global_init(CURL_GLOBAL_DEFAULT);
}

struct http *
http_new(const struct http_options *o)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	struct http *h = xcalloc(1, sizeof(*h));

	pthread_once(&once, set_up);
	h->ca_file = o->ca_file ? xstrdup(o->ca_file) : NULL;
	http_loop_get();
	return h;
}

void
http_free(struct http *h)
{
	if (!h)
		return;
	http_loop_put();
	free(h->ca_file);
	free(h);
}

static void
on_cancel(struct cancel_waker *w)
{
	http_loop_stop((struct http_transfer *)w);
}

static void
reset(struct http_response *rs)
{
	rs->outcome = HTTP_BROKEN;
	rs->why[0] = '\0';
	http_head_init(&rs->head);
	rs->sent_again = false;
	rs->got = 0;
	rs->text.len = 0;
}

struct http_transfer *
http_start(
	struct http *h, const struct http_request *rq, struct http_response *rs)
{
	struct http_transfer *t = xcalloc(1, sizeof(*t));

	reset(rs);
	rs->head.want = rq->want;
	t->rq = rq;
	t->rs = rs;
	t->state = HTTP_TRANSFER_DONE;
	t->waker.wake = on_cancel;
	pthread_cond_init(&t->done, NULL);
	if (!http_transfer_prepare(t, h->ca_file)) {
		http_transfer_end(t, HTTP_BROKEN, "memory is exhausted");
		return t;
	}
	http_loop_add(t);
	if (rq->cancel) {
		t->watched = cancel_watch(rq->cancel, &t->waker);
		if (!t->watched)
			http_loop_stop(t);
	}
	return t;
}

void
http_wait(struct http_transfer *t)
{
	http_loop_wait(t);
	if (t->watched)
		cancel_unwatch(t->rq->cancel, &t->waker);
	curl_easy_cleanup(t->easy);
	curl_slist_free_all(t->headers);
	pthread_cond_destroy(&t->done);
	free(t);
}

void
http_perform(
	struct http *h, const struct http_request *rq, struct http_response *rs)
{
	http_wait(http_start(h, rq, rs));
}

void
http_response_release(struct http_response *rs)
{
	buf_release(&rs->text);
}
