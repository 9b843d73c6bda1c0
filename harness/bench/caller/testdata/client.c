/* A plain client: connect, read one byte, close, again and again on THREADS
   threads for SECONDS. Prints the number of connections, the seconds, and the
   median time to the byte in nanoseconds. What the Go client is measured against. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { most = 1 << 20 };
static struct sockaddr_in server;
static long long until;
struct work { pthread_t thread; long long *took; int n; };

static long long now(void) {
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000LL + t.tv_nsec;
}

static void *run(void *arg) {
	struct work *w = arg;
	char byte;
	for (long long start; (start = now()) < until && w->n < most;) {
		int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
		if (fd < 0 || connect(fd, (struct sockaddr *)&server, sizeof server) || read(fd, &byte, 1) != 1) {
			perror("call");
			exit(1);
		}
		w->took[w->n++] = now() - start;
		close(fd);
	}
	return NULL;
}

static int order(const void *a, const void *b) {
	long long x = *(const long long *)a, y = *(const long long *)b;
	return (x > y) - (x < y);
}

int main(int argc, char **argv) {
	if (argc != 5) return 2;
	int threads = atoi(argv[3]), total = 0;
	server.sin_family = AF_INET;
	server.sin_port = htons(atoi(argv[2]));
	if (inet_pton(AF_INET, argv[1], &server.sin_addr) != 1) return 2;
	struct work *w = calloc(threads, sizeof *w);
	long long start = now();
	until = start + (long long)(atof(argv[4]) * 1e9);
	for (int i = 0; i < threads; i++) {
		w[i].took = malloc(most * sizeof *w[i].took);
		pthread_create(&w[i].thread, NULL, run, &w[i]);
	}
	for (int i = 0; i < threads; i++) pthread_join(w[i].thread, NULL);
	double seconds = (now() - start) / 1e9;
	for (int i = 0; i < threads; i++) total += w[i].n;
	long long *all = malloc((total + 1) * sizeof *all), *p = all;
	for (int i = 0; i < threads; i++) p = (long long *)mempcpy(p, w[i].took, w[i].n * sizeof *all);
	qsort(all, total, sizeof *all, order);
	printf("%d %.6f %lld\n", total, seconds, total ? all[total / 2] : 0);
	return 0;
}
