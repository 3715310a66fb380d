// The calls of the AutoTiler that model.c makes. They generate nothing: each prints a line, its
// words parted by tabs. Everything that has a name there is that name here.
#ifndef AUTOTILERLIB_H
#define AUTOTILERLIB_H

typedef const char *Word;
typedef struct { Word type, name, scope, direction, home; const struct File *file; } Argument;
typedef struct File { Word path; int bits; } File;
typedef struct { Word direction, name; } Binding;
typedef struct { int count; void *entries[200]; } List;

#define ALWAYS_INLINE "inline"
#define ARG_SCOPE_ARG "end"
#define ARG_SCOPE_GLOBAL "constant"
#define ARG_SCOPE_LOCAL "local"
#define ARG_DIR_IN "in"
#define ARG_DIR_OUT "out"
#define ARG_DIR_INOUT "inout"
#define ARG_DIR_CONSTIN "constin"
#define AT_MEM_L1 "L1"
#define AT_MEM_L2 "L2"
#define AT_MEM_L3_HRAM "ram"
#define AT_MEM_L3_HFLASH "flash"
#define AT_MEM_UNDEF "anywhere"
#define GNA_IN "reads"
#define GNA_OUT "writes"

// An entry too many or too few is noticed: the last one is followed by a null pointer.
#define CArgs(...) list("CArgs", __VA_ARGS__, (void *)0)
#define Bindings(...) list("Bindings", __VA_ARGS__, (void *)0)
List *list(Word what, int count, ...);

int TilerParseOptions(int argc, char **argv);
void SetInlineMode(Word mode);
void SetSymbolDynamics(void);
void SetUsedFilesNames(Word types, int count, Word header);
void SetGeneratedFilesNames(Word source, Word header);
void SetMemoryDeviceInfos(int count, ...);
File *ConstInfo(Word path, int is_binary, int is_number, int bits, int fraction);
Argument *TCArgInfo(Word type, Word name, Word scope, Word direction, Word home, Word runs, File *file);
void CreateGraph(Word name, List *arguments, List *locals);
Binding *GNodeArg(Word direction, Word name, Word alias);
void AddNode(Word name, List *bindings);
void CloseGraph(void);
void GenerateTilingCode(void);

#endif
