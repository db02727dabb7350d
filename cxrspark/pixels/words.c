/* What takes long of a large frame of 16-bit words: to count them, and to average blocks of them.
 *
 * NumPy makes an index of eight bytes of each word for it, and a picture that is read once.
 */
#include <stddef.h>
#include <stdint.h>

enum { BLOCK = 8 };

/* How often each word is there: two counts of each, for neighbours are often equal, and adding to
 * the same count again waits for the first to be written. */
void count_words(const uint16_t *words, size_t size, uint32_t counts[2][1 << 16]) {
    for (size_t i = 0; i < size; i++)
        counts[i & 1][words[i]]++;
}

/* Sums of blocks of 8x8 of what `table` makes of each word; rows and columns are repeated at the
 * borders to whole blocks. */
void sum_blocks(const uint16_t *words, size_t rows, size_t columns, const uint8_t table[1 << 16],
                uint16_t *sums /* zero, an eighth of the rows and columns, rounded up */) {
    size_t whole = columns / BLOCK, wide = (columns + BLOCK - 1) / BLOCK;
    size_t high = (rows + BLOCK - 1) / BLOCK;
    for (size_t y = 0; y < high * BLOCK; y++) {
        const uint16_t *row = words + (y < rows ? y : rows - 1) * columns;
        uint16_t *sum = sums + y / BLOCK * wide;
        for (size_t x = 0; x < whole; x++, row += BLOCK)
            sum[x] += table[row[0]] + table[row[1]] + table[row[2]] + table[row[3]] +
                      table[row[4]] + table[row[5]] + table[row[6]] + table[row[7]];
        if (whole < wide)
            for (size_t x = whole * BLOCK; x < wide * BLOCK; x++)
                sum[whole] += table[row[x < columns ? x - whole * BLOCK : columns - 1 - whole * BLOCK]];
    }
}
