/* Follows one of the two above: reads each file, and prints the best of some rounds of each measurement. */
static double now(void) {
    struct timespec at;
    clock_gettime(CLOCK_MONOTONIC, &at);
    return at.tv_sec * 1e9 + at.tv_nsec;
}

static double best(void (*work)(void), double round_ns, int rounds) {
    double lowest = 1e18;
    long times = 1;
    for (;;) {
        double start = now();
        for (long done = 0; done < times; done++) work();
        double spent = now() - start;
        if (spent >= round_ns / 2) break;
        times *= 2;
    }
    for (int round = 0; round < rounds; round++) {
        double start = now();
        for (long done = 0; done < times; done++) work();
        double each = (now() - start) / times;
        if (each < lowest) lowest = each;
    }
    return lowest;
}

int main(int count, char **arguments) {
    for (int number = 3; number < count; number++) {
        FILE *file = fopen(arguments[number], "rb");
        if (file == NULL) return 4;
        fseek(file, 0, SEEK_END);
        size_t size = (size_t)ftell(file);
        rewind(file);
        void *content = buffer(size + 1);
        if (fread(content, 1, size, file) != size) return 5;
        fclose(file);
        measured(size);
        if (!prepare()) return 6;
        double down = best(decode, atof(arguments[1]), atoi(arguments[2]));
        double up = best(encode, atof(arguments[1]), atoi(arguments[2]));
        printf("%.1f %.1f", down, up);
        if (third != NULL) printf(" %.1f", best(third, atof(arguments[1]), atoi(arguments[2])));
        printf("\n");
        forget();
        free(content);
    }
    return 0;
}
