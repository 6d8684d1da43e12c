/* Functions of Android's C library that glibc lacks or implements differently. host_libraries.py
   compiles them together with jumps to glibc for all other functions that TFLite's libraries use. */
#define _GNU_SOURCE
#include <errno.h>
#include <locale.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Exports a function under the name and version that Android libraries are linked to. */
#define BIONIC(name) __asm__(".symver bionic_" #name "," #name "@LIBC")

/* In Android, stdin, stdout and stderr are an array of structures of 152 bytes. */
#define FILE_BYTES 152
char bionic___sF[3 * FILE_BYTES] __attribute__((aligned(16)));
BIONIC(__sF);

static FILE *glibc_stream(void *stream)
{
    char *place = stream;
    if (place < bionic___sF || place >= bionic___sF + sizeof bionic___sF)
        return stream;
    return place - bionic___sF >= 2 * FILE_BYTES ? stderr : stdout;
}

int bionic_vfprintf(void *stream, const char *format, va_list arguments)
{
    return vfprintf(glibc_stream(stream), format, arguments);
}
BIONIC(vfprintf);

int bionic_fprintf(void *stream, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    int written = bionic_vfprintf(stream, format, arguments);
    va_end(arguments);
    return written;
}
BIONIC(fprintf);

size_t bionic_fwrite(const void *items, size_t size, size_t count, void *stream)
{
    return fwrite(items, size, count, glibc_stream(stream));
}
BIONIC(fwrite);

int bionic_fputc(int character, void *stream) { return fputc(character, glibc_stream(stream)); }
BIONIC(fputc);

int bionic_fputs(const char *text, void *stream) { return fputs(text, glibc_stream(stream)); }
BIONIC(fputs);

int bionic_fflush(void *stream) { return fflush(stream ? glibc_stream(stream) : NULL); }
BIONIC(fflush);

int bionic_fileno(void *stream) { return fileno(glibc_stream(stream)); }
BIONIC(fileno);

int *bionic___errno(void) { return &errno; }
BIONIC(__errno);

size_t bionic___strlen_chk(const char *text, size_t room)
{
    (void)room;
    return strlen(text);
}
BIONIC(__strlen_chk);

extern int __xpg_strerror_r(int error, char *text, size_t room);
int bionic_strerror_r(int error, char *text, size_t room)
{
    return __xpg_strerror_r(error, text, room);
}
BIONIC(strerror_r);

/* TFLite asks for Android's API level before it uses NNAPI and the GPU; 34 is Android 14. */
int bionic___system_property_get(const char *name, char *value)
{
    strcpy(value, strcmp(name, "ro.build.version.sdk") ? "" : "34");
    return (int)strlen(value);
}
BIONIC(__system_property_get);

/* The constants have other values than in glibc. */
long bionic_sysconf(int question)
{
    switch (question) {
    case 0x27:
    case 0x28:
        return sysconf(_SC_PAGESIZE);
    case 0x60:
        return sysconf(_SC_NPROCESSORS_CONF);
    case 0x61:
        return sysconf(_SC_NPROCESSORS_ONLN);
    case 0x62:
        return sysconf(_SC_PHYS_PAGES);
    default:
        return -1;
    }
}
BIONIC(sysconf);

void *bionic_newlocale(int mask, const char *name, void *base)
{
    (void)mask, (void)name, (void)base;
    return newlocale(LC_ALL_MASK, "C", NULL);
}
BIONIC(newlocale);

/* Android's sigset_t has 8 bytes. */
int bionic_sigfillset(void *set)
{
    memset(set, 0xff, 8);
    return 0;
}
BIONIC(sigfillset);

int bionic_pthread_sigmask(int how, const void *set, void *old)
{
    return syscall(SYS_rt_sigprocmask, how, set, old, 8) ? errno : 0;
}
BIONIC(pthread_sigmask);

extern int __cxa_atexit(void (*function)(void *), void *argument, void *library);
int bionic_atexit(void (*function)(void))
{
    return __cxa_atexit((void (*)(void *))function, NULL, NULL);
}
BIONIC(atexit);

void bionic_android_set_abort_message(const char *text) { fprintf(stderr, "abort: %s\n", text); }
BIONIC(android_set_abort_message);

void bionic___assert2(const char *file, int line, const char *function, const char *condition)
{
    fprintf(stderr, "%s:%d: %s: %s\n", file, line, function, condition);
    abort();
}
BIONIC(__assert2);

/* Android's log; printed to standard error if TFLITE_LOG is set. */
int __android_log_vprint(int priority, const char *tag, const char *format, va_list arguments)
{
    (void)priority;
    if (getenv("TFLITE_LOG")) {
        fprintf(stderr, "%s: ", tag);
        vfprintf(stderr, format, arguments);
        fputc('\n', stderr);
    }
    return 0;
}

int __android_log_print(int priority, const char *tag, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    __android_log_vprint(priority, tag, format, arguments);
    va_end(arguments);
    return 0;
}

int __android_log_write(int priority, const char *tag, const char *text)
{
    return __android_log_print(priority, tag, "%s", text);
}
