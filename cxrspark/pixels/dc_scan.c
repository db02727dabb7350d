/* A JPEG at 1/8 of its size, from the DC coefficients of its luminance alone.
 *
 * At 1/8 a decoder shows nothing of a block but its DC coefficient. libjpeg decodes every AC
 * coefficient all the same and throws it away; here one look-up passes as many of them as end within
 * the next WINDOW bits. Names, sections, tables and figures are those of ITU-T T.81.
 *
 * It answers only for a file that is sound from SOI to EOI in its markers and its luminance, and then
 * with libjpeg's pixels. For all else it returns false, and what it has written means nothing.
 *
 * It stays inside its buffers on any input: bytes of the file are read where they were seen to be
 * there (`refill`, `marker`, `segment` and the sizes of segments); a table has an entry for each
 * value of its index; only blocks inside the picture are kept. It allocates twice: the decoder, which
 * has one size, and two bytes a block.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { SOF0 = 0xC0, SOF2 = 0xC2, DHT = 0xC4, RST0 = 0xD0, SOI = 0xD8, EOI, SOS, DQT, DRI = 0xDD,
       APP0 = 0xE0, APP14 = 0xEE, APP15, COM = 0xFE }; /* Table B.1 */
enum { DC, AC, SLOTS = 4, COMPONENTS = 3, COEFFICIENTS = 64, BLOCKS_IN_MCU = 10 /* B.2.3 */ };
enum { MOST_SIDE = 65500, MOST_PIXELS = 1 << 26, MOST_BYTES = 1 << 30 };

/* Bits that one look-up sees: of AC symbols, four times over, and of the code of a DC coefficient. */
enum { WINDOW = 14, SHORT = 9 };

/* What `passes` counts for the end of a block, beyond any number of coefficients. */
enum { END = 128 };

typedef struct { /* of Huffman codes, by the bits that come next */
    uint16_t symbols[1 << 16]; /* length of the code << 8 | symbol; 0: there is no such code */
    uint16_t brief[1 << SHORT]; /* the same, and small enough for the cache; 0: a longer code */
    uint16_t passes[1 << WINDOW]; /* coefficients passed << 8 | bits that they take */
} Table;

typedef struct { /* of the frame */
    uint8_t id, H, V, Tq;
    int8_t Al[COEFFICIENTS]; /* bits of a coefficient that are still to come, -1: all */
} Component;

typedef struct {
    const uint8_t *at, *end;
} Bytes;

typedef struct { /* of an MCU */
    const Table *dc, *ac; /* where the scan has such symbols */
    unsigned component, y, x; /* of the frame, 0 is the luminance; place in the MCU */
} Block;

typedef struct { /* B.2.3 */
    unsigned Ss, Se, Ah, Al;
    unsigned H, V; /* blocks of the luminance in an MCU */
    uint32_t wide, high; /* in MCUs */
    unsigned count;
    Block blocks[BLOCKS_IN_MCU];
} Scan;

typedef struct {
    Bytes file;
    uint32_t columns, rows; /* of pixels */
    uint32_t wide, high; /* in blocks of the luminance */
    bool progressive, jfif, adobe, scanned;
    uint8_t transform; /* Adobe's */
    unsigned components, Ri;
    int32_t quantiser; /* of the luminance's DC coefficients */
    uint16_t quantisers[SLOTS]; /* of DC coefficients; 0: none */
    Component component[COMPONENTS];
    int16_t *values; /* the luminance's DC coefficients, `high` rows of `wide` */
    bool there[2][SLOTS]; /* DC, AC */
    Table tables[2][SLOTS]; /* last, for what stands before is set to 0 */
} Decoder;

/* Entropy-coded bits not yet taken, the next one highest; below the `left` that count may stand some
 * that follow them. `lacking` is the number of zero bytes given where there were no more. */
typedef struct {
    uint64_t bits;
    unsigned left, lacking;
    Bytes from;
} Bits;

static void refill_bytewise(Bits *b) {
    for (Bytes *from = &b->from; b->left < 56; b->left += 8) {
        uint64_t byte = 0;
        if (from->at < from->end && *from->at != 0xFF) byte = *from->at++;
        else if (from->end - from->at >= 2 && !from->at[1]) byte = 0xFF, from->at += 2; /* F.1.2.3 */
        else b->lacking++;
        b->bits |= byte << (56 - b->left);
    }
}

/* To 56 bits or more; at once, unless there is an 0xFF among the next 8 bytes. */
static inline void refill(Bits *b) {
    const uint64_t ones = 0x0101010101010101;
    uint64_t next = ~(uint64_t)0;
    if (b->from.end - b->from.at >= 8) /* compilers know it for one load */
        for (int i = 0; i < 8; i++) next = next << 8 | b->from.at[i];
    if ((~next - ones) & next & ones << 7) {
        refill_bytewise(b);
        return;
    }
    b->bits |= next >> b->left;
    b->from.at += (63 - b->left) >> 3;
    b->left |= 56;
}

static inline void take(Bits *b, unsigned count) {
    b->bits <<= count;
    b->left -= count;
}

/* Figures C.1 and C.2: that the codes fit into 16 bits, and none consists of ones alone. */
static bool codes_fit(const uint8_t counts[16]) {
    uint32_t code = 0;
    for (unsigned length = 1; length <= 16; length++, code <<= 1)
        if ((code += counts[length - 1]) >= 1u << length) return false;
    return true;
}

/* Coefficients that an AC symbol passes: RRRR zeros and one of SSSS bits, or 16 zeros; END, or 0 where
 * it means nothing in a sequential scan (F.1.2.2.1). */
static inline unsigned passed_by(unsigned symbol) {
    unsigned zeros = symbol >> 4 & 15;
    return symbol & 15 || zeros == 15 ? zeros + 1 : zeros ? 0 : END;
}

/* From BITS and HUFFVAL (B.2.4.2). */
static void make_table(Table *table, unsigned class, const uint8_t counts[16], const uint8_t *value) {
    uint16_t *next = table->symbols, *end = table->symbols + (1 << 16);
    for (unsigned length = 1; length <= 16; length++)
        for (unsigned i = 0; i < counts[length - 1]; i++, value++)
            for (unsigned j = 0; j < 1u << (16 - length); j++) *next++ = length << 8 | *value;
    while (next < end) *next++ = 0;
    for (unsigned bits = 0; bits < 1 << SHORT && class == DC; bits++) {
        unsigned entry = table->symbols[bits << (16 - SHORT)];
        table->brief[bits] = entry >> 8 <= SHORT ? entry : 0;
    }
    for (uint32_t bits = 0; bits < 1 << WINDOW && class == AC; bits++) {
        unsigned taken = 0, passed = 0;
        while (passed < END) {
            unsigned entry = table->symbols[bits << (16 - WINDOW + taken) & 0xFFFF];
            unsigned length = (entry >> 8) + (entry & 15), more = passed_by(entry);
            if (!entry || !more || taken + length > WINDOW) break;
            if (more < END && passed + more >= COEFFICIENTS) break;
            taken += length;
            passed += more;
        }
        table->passes[bits] = taken ? passed << 8 | taken : COEFFICIENTS << 8; /* too many */
    }
}

/* F.2.2.1: a DC coefficient less the one before. */
static inline bool difference(Bits *b, const Table *dc, int32_t *value) {
    refill(b);
    unsigned entry = dc->brief[b->bits >> (64 - SHORT)];
    if (!entry) entry = dc->symbols[b->bits >> 48];
    unsigned size = entry & 15;
    take(b, entry >> 8);
    int32_t bits = (int32_t)(b->bits >> 1 >> (63 - size));
    take(b, size);
    *value = bits < (1 << size) >> 1 ? bits - (1 << size) + 1 : bits; /* EXTEND, Figure F.12 */
    return entry;
}

/* Figure F.13, with no coefficient kept. */
static inline bool pass_ac(Bits *b, const Table *ac) {
    unsigned k = 1;
    while (k < COEFFICIENTS) {
        refill(b);
        unsigned sum = k << 8, entry = 0, next = 0; /* k and the bits taken, as in an entry */
        for (int turn = 0; turn < 4; turn++, sum = next) {
            entry = ac->passes[b->bits >> (64 - WINDOW)];
            next = sum + entry;
            if (next >= COEFFICIENTS << 8) break;
            b->bits <<= entry & 63;
        }
        b->left -= sum & 255;
        k = sum >> 8;
        if (next < COEFFICIENTS << 8) continue;
        if (next >> 8 == COEFFICIENTS || (next >> 8) - END < COEFFICIENTS) {
            take(b, entry & 63);
            return true;
        }
        refill(b); /* one symbol: WINDOW is too short for it, or reached into the next block */
        entry = ac->symbols[b->bits >> 48];
        unsigned more = passed_by(entry);
        if (!entry || !more) return false;
        take(b, (entry >> 8) + (entry & 15));
        if (more == END) return true;
        k += more;
    }
    return k == COEFFICIENTS;
}

/* The MCUs from `first` to before `end`, which lie between two restart markers. */
static bool decode_mcus(Decoder *d, const Scan *scan, uint32_t first, uint32_t end) {
    Bits b = {.from = d->file};
    int32_t previous[COMPONENTS] = {0}; /* PRED, F.1.1.5.1 */
    uint32_t row = first / scan->wide, column = first % scan->wide;
    for (uint32_t mcu = first; mcu < end; mcu++) {
        if (b.lacking > 8) return false;
        for (const Block *block = scan->blocks; block < scan->blocks + scan->count; block++) {
            int32_t value;
            if (scan->Ah) { /* G.1.2.1 */
                refill(&b);
                value = (int32_t)(b.bits >> 63);
                take(&b, 1);
            } else {
                if (!difference(&b, block->dc, &value)) return false;
                value = previous[block->component] += value;
            }
            value *= 1 << scan->Al;
            if (value != (int16_t)value || (block->ac && !pass_ac(&b, block->ac))) return false;
            uint32_t y = row * scan->V + block->y, x = column * scan->H + block->x;
            if (block->component || y >= d->high || x >= d->wide) continue;
            int16_t *kept = &d->values[y * d->wide + x];
            *kept = (int16_t)(scan->Ah ? *kept | value : value);
        }
        if (++column == scan->wide) column = 0, row++;
    }
    d->file.at = b.from.at;
    return b.left - 8 * b.lacking < 8; /* all but the bits that fill a byte, F.1.2.3 */
}

/* Entropy-coded data up to the next marker. */
static bool pass_data(Bytes *file) {
    while (file->end - file->at >= 2) {
        const uint8_t *stop = memchr(file->at, 0xFF, file->end - file->at - 1);
        if (!stop) return false;
        file->at = stop;
        if (stop[1]) return true;
        file->at += 2;
    }
    return false;
}

/* B.1.1.2: its code, or 0. */
static unsigned marker(Bytes *file) {
    if (file->at == file->end || *file->at != 0xFF) return 0;
    while (file->at < file->end && *file->at == 0xFF) file->at++;
    return file->at < file->end ? *file->at++ : 0;
}

/* Entropy-coded segments, RST0 ... RST7 between them (B.2.1, E.2.4). Those of AC coefficients alone
 * are passed over: whatever they hold, libjpeg ends at the next marker and warns at most. */
static bool decode_scan(Decoder *d, const Scan *scan) {
    uint32_t mcus = scan->wide * scan->high, each = d->Ri ? d->Ri : mcus;
    for (uint32_t first = 0, number = 0;; number++) {
        uint32_t end = mcus - first < each ? mcus : first + each;
        if (scan->Ss ? !pass_data(&d->file) : !decode_mcus(d, scan, first, end)) return false;
        if (end == mcus) return true;
        if (marker(&d->file) != RST0 + number % 8) return false;
        first = end;
    }
}

static bool read_codes(Decoder *d, Bytes in) { /* B.2.4.2 */
    for (unsigned count = 0; in.at < in.end; in.at += 17 + count, count = 0) {
        if (in.end - in.at < 17) return false;
        unsigned Tc = in.at[0] >> 4, Th = in.at[0] & 15;
        if (Tc > AC || Th >= SLOTS || !codes_fit(in.at + 1)) return false;
        for (int i = 1; i <= 16; i++) count += in.at[i];
        if (count > 256 || in.end - in.at - 17 < (ptrdiff_t)count) return false;
        for (unsigned i = 0; i < count; i++)
            if (Tc == DC && in.at[17 + i] > 15) return false;
        d->there[Tc][Th] = true;
        make_table(&d->tables[Tc][Th], Tc, in.at + 1, in.at + 17);
    }
    return true;
}

static bool read_quantisers(Decoder *d, Bytes in) { /* B.2.4.1 */
    while (in.at < in.end) {
        unsigned Pq = in.at[0] >> 4, Tq = in.at[0] & 15;
        ptrdiff_t length = 1 + COEFFICIENTS * (1 + (ptrdiff_t)Pq);
        if (Pq > 1 || Tq >= SLOTS || in.end - in.at < length) return false;
        unsigned first = Pq ? in.at[1] << 8 | in.at[2] : in.at[1];
        d->quantisers[Tq] = first <= INT16_MAX ? first : 0; /* libjpeg takes it for signed */
        in.at += length;
    }
    return true;
}

static bool read_frame(Decoder *d, Bytes in, unsigned code) { /* B.2.2 */
    if (d->components || in.end - in.at < 6 || in.at[0] != 8) return false;
    uint32_t rows = in.at[1] << 8 | in.at[2], columns = in.at[3] << 8 | in.at[4], count = in.at[5];
    if (rows != d->rows || columns != d->columns || (count != 1 && count != 3)) return false;
    if (in.end - in.at != 6 + 3 * (ptrdiff_t)count) return false;
    d->progressive = code == SOF2;
    d->components = count;
    for (unsigned i = 0; i < count; i++) {
        const uint8_t *at = in.at + 6 + 3 * i;
        Component *c = &d->component[i], *luminance = d->component;
        *c = (Component){.id = at[0], .H = at[1] >> 4, .V = at[1] & 15, .Tq = at[2]};
        memset(c->Al, -1, sizeof c->Al);
        if (!c->H || !c->V || c->H > 4 || c->V > 4 || c->Tq >= SLOTS) return false;
        if (c->H > luminance->H || c->V > luminance->V) return false; /* scaled in another way */
        for (unsigned j = 0; j < i; j++)
            if (d->component[j].id == c->id) return false;
    }
    return true;
}

static bool read_application(Decoder *d, Bytes in, unsigned code) { /* JFIF 1.02; Adobe TN 5116 */
    bool adobe = code == APP14 && in.end - in.at >= 12 && !memcmp(in.at, "Adobe", 5);
    if (code == APP0 && in.end - in.at >= 14 && !memcmp(in.at, "JFIF", 5)) d->jfif = true;
    if (adobe) d->adobe = true, d->transform = in.at[11];
    return true;
}

/* Whether the first component is the grey, to libjpeg (jdapimin.c). */
static bool has_luminance(const Decoder *d) {
    const Component *c = d->component;
    if (d->components == 1 || d->jfif) return true;
    return d->adobe ? d->transform == 1 : c[0].id != 'R' || c[1].id != 'G' || c[2].id != 'B';
}

/* Table B.3. */
static bool may_scan(const Decoder *d, const Scan *s, unsigned components) {
    if (!d->progressive) return !s->Ss && s->Se == COEFFICIENTS - 1 && !s->Ah && !s->Al;
    if (s->Ss ? s->Se < s->Ss || s->Se >= COEFFICIENTS || components > 1 : s->Se) return false;
    return s->Al <= 13 && (!s->Ah || s->Al == s->Ah - 1);
}

static uint32_t divided_up(uint32_t value, uint32_t by) { return (value + by - 1) / by; }

static bool read_scan(Decoder *d, Bytes in, Scan *s) { /* B.2.3 */
    unsigned count = in.at < in.end ? in.at[0] : 0, at = 0;
    if (!count || count > d->components || in.end - in.at != 4 + 2 * (ptrdiff_t)count) return false;
    *s = (Scan){.Ss = in.end[-3], .Se = in.end[-2], .Ah = in.end[-1] >> 4, .Al = in.end[-1] & 15};
    if (!may_scan(d, s, count) || !(d->scanned || has_luminance(d))) return false;
    d->scanned = true;
    for (unsigned i = 0; i < count; i++, at++) {
        while (at < d->components && d->component[at].id != in.at[1 + 2 * i]) at++;
        if (at == d->components) return false; /* not there, or not in the frame's order */
        Component *c = &d->component[at];
        if (c->Al[0] < 0 && (s->Ss || !d->quantisers[c->Tq])) return false;
        if (c->Al[0] < 0 && at == 0) d->quantiser = d->quantisers[c->Tq];
        for (unsigned k = s->Ss; k <= s->Se; k++) {
            if (c->Al[k] != (s->Ah ? (int)s->Ah : -1)) return false; /* not in progression, G.1.1.1 */
            c->Al[k] = (int8_t)s->Al;
        }
        unsigned Td = in.at[2 + 2 * i] >> 4, Ta = in.at[2 + 2 * i] & 15;
        if (!s->Ss && !s->Ah && (Td >= SLOTS || !d->there[DC][Td])) return false;
        if (s->Se && (Ta >= SLOTS || !d->there[AC][Ta])) return false;
        Block block = {.component = at, .dc = &d->tables[DC][Td % SLOTS]};
        if (s->Se) block.ac = &d->tables[AC][Ta];
        unsigned H = count > 1 ? c->H : 1, V = count > 1 ? c->V : 1; /* A.2.2 */
        if (s->count + H * V > BLOCKS_IN_MCU) return false;
        for (block.y = 0; block.y < V; block.y++)
            for (block.x = 0; block.x < H; block.x++) s->blocks[s->count++] = block;
        if (i) continue;
        s->H = H, s->V = V;
        s->wide = divided_up(d->columns * (count > 1 ? 1 : c->H), 8 * d->component->H);
        s->high = divided_up(d->rows * (count > 1 ? 1 : c->V), 8 * d->component->V);
    }
    return true;
}

/* A.3.4, A.3.3 of a DC coefficient, A.3.1. Only where each coefficient is complete: else libjpeg
 * smooths, which changes others than AC coefficients too. */
static bool show(const Decoder *d, uint8_t *grey) {
    for (unsigned i = 0; i < d->components; i++)
        for (unsigned k = 0; k < COEFFICIENTS; k++)
            if (d->component[i].Al[k]) return false;
    for (size_t i = 0; i < (size_t)d->wide * d->high; i++) {
        int32_t level = (d->values[i] * d->quantiser + 4) >> 3;
        if (level < -512 || level > 511) return false; /* libjpeg's wrap around */
        grey[i] = (uint8_t)(level < -128 ? 0 : level > 127 ? 255 : level + 128);
    }
    return d->components;
}

static bool decode_file(Decoder *d, uint8_t *grey) {
    if (d->file.end - d->file.at < 2 || d->file.at[0] != 0xFF || d->file.at[1] != SOI) return false;
    d->file.at += 2;
    for (;;) {
        unsigned code = marker(&d->file);
        if (code == EOI) return show(d, grey);
        if (code < SOF0 || d->file.end - d->file.at < 2) return false;
        ptrdiff_t length = d->file.at[0] << 8 | d->file.at[1]; /* B.1.1.4 */
        if (length < 2 || d->file.end - d->file.at < length) return false;
        Bytes body = {d->file.at + 2, d->file.at + length};
        d->file.at += length;
        bool sound = false;
        Scan scan;
        if (code <= SOF2) sound = read_frame(d, body, code);
        if (code == DHT) sound = read_codes(d, body);
        if (code == DQT) sound = read_quantisers(d, body);
        if (code == DRI && length == 4) sound = true, d->Ri = body.at[0] << 8 | body.at[1];
        if (code == SOS) sound = read_scan(d, body, &scan) && decode_scan(d, &scan);
        if (code >= APP0 && code <= APP15) sound = read_application(d, body, code);
        if (!sound && code != COM) return false;
    }
}

#ifdef _WIN32
__declspec(dllexport)
#endif
/* Decode the `size` bytes of `file`, which declares so many columns and rows, to `grey`: uint8, rows
 * and columns divided by 8 and rounded up. False where libjpeg has to. */
bool dc_scan(const uint8_t *file, size_t size, uint32_t columns, uint32_t rows, uint8_t *grey) {
    if (!columns || columns > MOST_SIDE || !rows || rows > MOST_SIDE) return false;
    if ((uint64_t)columns * rows > MOST_PIXELS || size > MOST_BYTES) return false;
    Decoder *d = malloc(sizeof *d);
    if (!d) return false;
    memset(d, 0, offsetof(Decoder, tables));
    d->file = (Bytes){file, file + size};
    d->columns = columns, d->rows = rows;
    d->wide = divided_up(columns, 8), d->high = divided_up(rows, 8);
    d->values = calloc((size_t)d->wide * d->high, sizeof *d->values);
    bool answered = d->values && decode_file(d, grey);
    free(d->values);
    free(d);
    return answered;
}
