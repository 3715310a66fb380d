#include "CNN_Generators_SQ8.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

// Nothing is given back: the program is short.
static void *kept(size_t size)
{
    void *place = calloc(1, size);
    if (!place) {
        abort();
    }
    return place;
}

List *list(Word what, int count, ...)
{
    List *made = kept(sizeof *made);
    va_list entries;
    va_start(entries, count);
    for (void *entry; made->count < 200 && (entry = va_arg(entries, void *));) {
        made->entries[made->count++] = entry;
    }
    va_end(entries);
    if (made->count != count) {
        printf("fault\t%s says %d and has %d entries\n", what, count, made->count);
    }
    return made;
}

int TilerParseOptions(int argc, char **argv)
{
    (void)argv;
    return argc != 1;
}

void SetInlineMode(Word mode) { (void)mode; }
void SetSymbolDynamics(void) { }
void LoadCNN_SQ8_Library(void) { puts("library"); }

void SetUsedFilesNames(Word types, int count, Word header)
{
    (void)types;
    printf("includes\t%d\t%s\n", count, header);
}

void SetGeneratedFilesNames(Word source, Word header)
{
    printf("generates\t%s\t%s\n", source, header);
}

void SetMemoryDeviceInfos(int count, ...)
{
    va_list all;
    va_start(all, count);
    while (count-- > 0) {
        Word memory = va_arg(all, Word);
        const int bytes = va_arg(all, int);
        printf("memory\t%s\t%d\t%s\n", memory, bytes, va_arg(all, Word));
        // Only the last memory has a file, for which the others have the integer 0.
        if (count > 0) {
            (void)va_arg(all, int);
            (void)va_arg(all, int);
        }
    }
    va_end(all);
}

File *ConstInfo(Word path, int is_binary, int is_number, int bits, int fraction)
{
    if (!is_binary || !is_number || fraction) {
        printf("fault\t%s is no binary file of integers\n", path);
    }
    File *file = kept(sizeof *file);
    *file = (File){path, bits};
    return file;
}

Argument *TCArgInfo(Word type, Word name, Word scope, Word direction, Word home, Word runs, File *file)
{
    (void)runs;
    Argument *argument = kept(sizeof *argument);
    *argument = (Argument){type, name, scope, direction, home, file};
    return argument;
}

static void declare(const List *arguments)
{
    for (int i = 0; i < arguments->count; i++) {
        const Argument *a = arguments->entries[i];
        printf("argument\t%s\t%s\t%s\t%s\t%s\t%s\t%d\n", a->name, a->scope, a->direction, a->type,
            a->home, a->file ? a->file->path : "", a->file ? a->file->bits : 0);
    }
}

void CreateGraph(Word name, List *arguments, List *locals)
{
    printf("graph\t%s\n", name);
    declare(arguments);
    declare(locals);
}

Binding *GNodeArg(Word direction, Word name, Word alias)
{
    (void)alias;
    Binding *binding = kept(sizeof *binding);
    *binding = (Binding){direction, name};
    return binding;
}

void AddNode(Word name, List *bindings)
{
    printf("node\t%s", name);
    for (int i = 0; i < bindings->count; i++) {
        const Binding *binding = bindings->entries[i];
        printf("\t%s %s", binding->direction, binding->name);
    }
    puts("");
}

void CloseGraph(void) { puts("close"); }
void GenerateTilingCode(void) { puts("generate"); }

void CNN_ConvolutionPoolAct_SQ8(Word name, const void *control, int bias_bytes, int scale_bytes,
    int in, int out, int width, int height,
    Word filter, int fx, int fy, int dx, int dy, int sx, int sy, int is_padded,
    Word pool, int px, int py, int pdx, int pdy, int psx, int psy, int pool_is_padded,
    Word activation)
{
    (void)control;
    printf("kernel\t%s\t%s\t%s\t%s\t%d\t%d\t%d\t%d", name, filter, pool, activation, bias_bytes, scale_bytes, in, out);
    printf("\t%d\t%d\t%d\t%d\t%d\t%d\t%d\t%d\t%d", width, height, fx, fy, dx, dy, sx, sy, is_padded);
    printf("\t%d\t%d\t%d\t%d\t%d\t%d\t%d\n", px, py, pdx, pdy, psx, psy, pool_is_padded);
}

void CNN_LinearAct_SQ8(Word name, const void *control, int bias_bytes, int scale_bytes,
    int in, int out, Word filter, Word activation)
{
    (void)control;
    printf("kernel\t%s\t%s\tnone\t%s\t%d\t%d\t%d\t%d\n", name, filter, activation, bias_bytes, scale_bytes, in, out);
}
