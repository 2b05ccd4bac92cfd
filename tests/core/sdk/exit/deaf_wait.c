/* Preloaded into a process, this makes one wait for a semaphore go on although a signal has come. The C library does so
   if the signal comes just when the process was woken and another one got the semaphore. The wait is the first after a
   file `armed` was made; it renames the file to `waiting`. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <semaphore.h>
#include <stdio.h>

int sem_wait(sem_t *semaphore)
{
    int (*wait)(sem_t *) = (int (*)(sem_t *))dlsym(RTLD_NEXT, "sem_wait");
    int deaf = rename("armed", "waiting") == 0;
    int result = wait(semaphore);
    return deaf && result != 0 && errno == EINTR ? wait(semaphore) : result;
}
