/* libFuzzer's target for the DC-only JPEG scan: make fuzz-native. */
#include "../../cxrspark/pixels/dc_scan.c"

int LLVMFuzzerTestOneInput(const uint8_t *file, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *file, size_t size) {
    for (size_t i = 2; i + 8 < size; i++) {
        if (file[i] != 0xFF || file[i + 1] < SOF0 || file[i + 1] > SOF2) continue;
        uint32_t rows = file[i + 5] << 8 | file[i + 6], columns = file[i + 7] << 8 | file[i + 8];
        if (rows * (uint64_t)columns > 1 << 20) return 0; /* or it would be slow */
        uint8_t *grey = malloc((size_t)divided_up(rows, 8) * divided_up(columns, 8) + 1);
        dc_scan(file, size, columns, rows, grey);
        free(grey);
        return 0;
    }
    return 0;
}
