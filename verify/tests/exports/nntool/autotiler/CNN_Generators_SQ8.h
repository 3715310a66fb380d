// The calls that describe a kernel, as AutoTilerLib.h has the others.
#ifndef CNN_GENERATORS_SQ8_H
#define CNN_GENERATORS_SQ8_H

#include "AutoTilerLib.h"

#define KOP_NONE "none"
#define KOP_CONV "conv"
#define KOP_LINEAR "linear"
#define KOP_MAXPOOL "maxpool"
#define KOP_AVGPOOL "avgpool"
#define KOP_RELU "relu"
#define KOP_RELUM "relum"

void LoadCNN_SQ8_Library(void);
void CNN_ConvolutionPoolAct_SQ8(Word name, const void *control, int bias_bytes, int scale_bytes,
    int in, int out, int width, int height,
    Word filter, int fx, int fy, int dx, int dy, int sx, int sy, int is_padded,
    Word pool, int px, int py, int pdx, int pdy, int psx, int psy, int pool_is_padded,
    Word activation);
void CNN_LinearAct_SQ8(Word name, const void *control, int bias_bytes, int scale_bytes,
    int in, int out, Word filter, Word activation);

#endif
