/* A timed loop over ONNX Runtime's C API that shares nothing with onnxprof but the library.
 *
 * usage: agreement LIBRARY MODEL INPUT OUTPUT DIM...   (one input and one output of 32-bit floats)
 *
 * The first line on stdin loads the model, and is answered by `ready`. Every further line `LENGTH_NS MIN_INFERENCES`
 * is answered by `MEDIAN_NS COUNT` of a block of inferences, one after the other. Ends when stdin does.
 *
 * OrtApi is a table of function pointers whose order never changes. The macros AT_... are places in it, in pointers;
 * who compiles this names them (-DAT_CREATE_ENV=3 and so on). */
#define _POSIX_C_SOURCE 200809L
#include <dlfcn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* ONNX Runtime 1.23, the oldest that onnxprof loads. */
enum { API_VERSION = 23 };
/* Values of the C API's enumerations. */
enum { LOG_WARNING = 2, OPTIMIZE_ALL = 99, DEVICE_ALLOCATOR = 0, MEMORY_DEFAULT = 0, ELEMENT_FLOAT = 1 };
enum { MOST_DIMS = 8, MOST_SAMPLES = 1 << 20 };

struct api_base {
    void *const *(*get_api)(uint32_t version);
    const char *(*get_version)(void);
};

typedef void *(*run_with_binding)(void *session, const void *options, const void *binding);

static void *const *api;
static uint64_t samples[MOST_SAMPLES];

#define CALL(place, types, arguments) check(((void *(*) types) api[place]) arguments, #place)

static void die(const char *what, const char *why) {
    fprintf(stderr, "agreement: %s: %s\n", what, why);
    exit(1);
}

static void check(void *status, const char *what) {
    if (status != NULL) {
        die(what, ((const char *(*)(const void *)) api[AT_GET_ERROR_MESSAGE])(status));
    }
}

static uint64_t now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (uint64_t) time.tv_sec * 1000000000u + (uint64_t) time.tv_nsec;
}

static int ascending(const void *left, const void *right) {
    uint64_t a = *(const uint64_t *) left, b = *(const uint64_t *) right;
    return (a > b) - (a < b);
}

static void open_library(const char *path) {
    void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (library == NULL) {
        die(path, dlerror());
    }
    const struct api_base *(*get_base)(void) = (const struct api_base *(*) (void)) dlsym(library, "OrtGetApiBase");
    if (get_base == NULL || (api = get_base()->get_api(API_VERSION)) == NULL) {
        die(path, "does not offer the C API");
    }
}

static void *load(const char *model) {
    void *environment, *options, *session;
    CALL(AT_CREATE_ENV, (int, const char *, void **), (LOG_WARNING, "agreement", &environment));
    CALL(AT_CREATE_SESSION_OPTIONS, (void **), (&options));
    CALL(AT_SET_INTRA_OP_NUM_THREADS, (void *, int), (options, 1));
    CALL(AT_SET_INTER_OP_NUM_THREADS, (void *, int), (options, 1));
    CALL(AT_SET_SESSION_GRAPH_OPTIMIZATION_LEVEL, (void *, int), (options, OPTIMIZE_ALL));
    CALL(AT_CREATE_SESSION, (const void *, const char *, const void *, void **),
         (environment, model, options, &session));
    return session;
}

static void *bind(void *session, const char *input, const char *output, const int64_t *dims, size_t rank) {
    void *memory, *value, *binding;
    size_t count = 1;
    for (size_t axis = 0; axis < rank; axis++) {
        count *= (size_t) dims[axis];
    }
    float *elements = malloc(count * sizeof *elements);
    if (elements == NULL) {
        die(input, "out of memory");
    }
    srand(0);
    for (size_t index = 0; index < count; index++) {
        elements[index] = (float) rand() / (float) RAND_MAX;
    }
    CALL(AT_CREATE_CPU_MEMORY_INFO, (int, int, void **), (DEVICE_ALLOCATOR, MEMORY_DEFAULT, &memory));
    CALL(AT_CREATE_TENSOR_WITH_DATA, (const void *, void *, size_t, const int64_t *, size_t, int, void **),
         (memory, elements, count * sizeof *elements, dims, rank, ELEMENT_FLOAT, &value));
    CALL(AT_CREATE_IO_BINDING, (void *, void **), (session, &binding));
    CALL(AT_BIND_INPUT, (void *, const char *, const void *), (binding, input, value));
    CALL(AT_BIND_OUTPUT_TO_DEVICE, (void *, const char *, const void *), (binding, output, memory));
    return binding;
}

static void block(run_with_binding run, void *session, void *binding, uint64_t length, size_t least) {
    check(run(session, NULL, binding), "run");
    size_t count = 0;
    uint64_t deadline = now() + length, end;
    do {
        uint64_t begin = now();
        void *status = run(session, NULL, binding);
        end = now();
        check(status, "run");
        samples[count++] = end - begin;
    } while (count < MOST_SAMPLES && (end < deadline || count < least));
    qsort(samples, count, sizeof *samples, ascending);
    printf("%llu %zu\n", (unsigned long long) samples[(count - 1) / 2], count);
    fflush(stdout);
}

int main(int argc, char **argv) {
    if (argc < 5 || argc - 5 > MOST_DIMS) {
        die("usage", "agreement LIBRARY MODEL INPUT OUTPUT DIM...");
    }
    int64_t dims[MOST_DIMS];
    for (int index = 5; index < argc; index++) {
        dims[index - 5] = strtoll(argv[index], NULL, 10);
    }
    char line[128];
    if (fgets(line, sizeof line, stdin) == NULL) {
        return 0;
    }
    open_library(argv[1]);
    void *session = load(argv[2]);
    void *binding = bind(session, argv[3], argv[4], dims, (size_t) (argc - 5));
    run_with_binding run = (run_with_binding) api[AT_RUN_WITH_BINDING];
    /* Pages that are touched for the first time inside of a block would be page faults of the loop. */
    memset(samples, 1, sizeof samples);
    puts("ready");
    fflush(stdout);
    unsigned long long length;
    size_t least;
    while (fgets(line, sizeof line, stdin) != NULL && sscanf(line, "%llu %zu", &length, &least) == 2) {
        block(run, session, binding, length, least);
    }
    return 0;
}
