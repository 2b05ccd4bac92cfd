/* A stand-in for NVIDIA's management library, so that the real pynvml has something to load where there is no GPU.
   Two GPUs: the first answers everything; the second, as under MIG, supports only memory, temperature and power.
   Signatures: NVIDIA's nvml.h. FAKE_NVML_INIT sets what nvmlInit returns, FAKE_NVML_PID a process on the first GPU. */
#include <stdio.h>
#include <stdlib.h>
#include <stddef.h>

enum { OK = 0, INVALID = 2, NOT_SUPPORTED = 3, INSUFFICIENT_SIZE = 7, LOST = 15 };
typedef struct { unsigned int gpu, memory; } Utilization;
typedef struct { unsigned long long total, free, used; } Memory;
typedef struct { unsigned int pid; unsigned long long used; unsigned int gpu_instance, compute_instance; } Process;

static int gpus[2];
static int is_first(const int *device) { return device == &gpus[0]; }

int nvmlInitWithFlags(unsigned int flags) {
    const char *answer = getenv("FAKE_NVML_INIT");
    return answer ? atoi(answer) : OK;
}
int nvmlShutdown(void) { return OK; }
const char *nvmlErrorString(int error) { return "an error of the stand-in"; }
int nvmlDeviceGetCount_v2(unsigned int *count) { *count = 2; return OK; }
int nvmlDeviceGetHandleByIndex_v2(unsigned int index, int **device) {
    if (index > 1) return INVALID;
    *device = &gpus[index];
    return OK;
}
int nvmlDeviceGetName(int *device, char *name, unsigned int length) {
    snprintf(name, length, "Stand-in %d", !is_first(device));
    return OK;
}
int nvmlSystemGetDriverVersion(char *version, unsigned int length) {
    snprintf(version, length, "555.42.06");
    return OK;
}
int nvmlSystemGetCudaDriverVersion_v2(int *version) { *version = 12050; return OK; }
int nvmlDeviceGetUtilizationRates(int *device, Utilization *rates) {
    if (!is_first(device)) return NOT_SUPPORTED;
    rates->gpu = 97; rates->memory = 41;
    return OK;
}
int nvmlDeviceGetMemoryInfo(int *device, Memory *memory) {
    memory->total = 16ull << 30; memory->used = 4ull << 30; memory->free = 12ull << 30;
    return OK;
}
int nvmlDeviceGetTemperature(int *device, unsigned int sensor, unsigned int *celsius) {
    if (sensor != 0) return INVALID;
    *celsius = is_first(device) ? 61 : 35;
    return OK;
}
int nvmlDeviceGetPowerUsage(int *device, unsigned int *milliwatts) { *milliwatts = 251500; return OK; }
int nvmlDeviceGetEnforcedPowerLimit(int *device, unsigned int *milliwatts) {
    if (!is_first(device)) return LOST;
    *milliwatts = 400000;
    return OK;
}
int nvmlDeviceGetClockInfo(int *device, unsigned int type, unsigned int *megahertz) {
    if (!is_first(device)) return NOT_SUPPORTED;
    *megahertz = type == 1 ? 1410 : type == 2 ? 1593 : 0;
    return OK;
}
int nvmlDeviceGetComputeRunningProcesses_v3(int *device, unsigned int *count, Process *processes) {
    const char *pid = getenv("FAKE_NVML_PID");
    if (!is_first(device)) { *count = 0; return OK; }
    if (*count < 3) { *count = 3; return INSUFFICIENT_SIZE; }
    *count = 3;
    processes[0] = (Process){pid ? atoi(pid) : 0, 3ull << 30, 0, 0};
    processes[1] = (Process){1u << 30, 1ull << 30, 0, 0}; /* of another user */
    processes[2] = (Process){pid ? atoi(pid) : 0, ~0ull, 0, 0}; /* memory "not available" */
    return OK;
}
