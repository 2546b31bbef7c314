/* CPython's built-in modules, without those that no frozen module imports: they would be a
 * fifth of the file. It takes the place of config.o in CPython's static library. */
#include <Python.h>

#define MODULES(M)                                                                      \
    M(_abc)                                                                             \
    M(_bisect)                                                                          \
    M(_codecs)                                                                          \
    M(_collections)                                                                     \
    M(_datetime)                                                                        \
    M(_functools)                                                                       \
    M(_heapq)                                                                           \
    M(_imp)                                                                             \
    M(_io)                                                                              \
    M(_locale)                                                                          \
    M(_opcode)                                                                          \
    M(_operator)                                                                        \
    M(_posixsubprocess)                                                                 \
    M(_random)                                                                          \
    M(_sha512)                                                                          \
    M(_signal)                                                                          \
    M(_socket)                                                                          \
    M(_sre)                                                                             \
    M(_stat)                                                                            \
    M(_string)                                                                          \
    M(_struct)                                                                          \
    M(_thread)                                                                          \
    M(_tokenize)                                                                        \
    M(_weakref)                                                                         \
    M(array)                                                                            \
    M(atexit)                                                                           \
    M(binascii)                                                                         \
    M(errno)                                                                            \
    M(faulthandler)                                                                     \
    M(fcntl)                                                                            \
    M(gc)                                                                               \
    M(itertools)                                                                        \
    M(math)                                                                             \
    M(posix)                                                                            \
    M(select)                                                                           \
    M(time)                                                                             \
    M(zlib)

#define DECLARED(name) extern PyObject *PyInit_##name(void);
MODULES(DECLARED)
extern PyObject *PyInit__ast(void);
extern PyObject *PyMarshal_Init(void);
extern PyObject *_PyWarnings_Init(void);

#define LISTED(name) {#name, PyInit_##name},
struct _inittab _PyImport_Inittab[] = {
    MODULES(LISTED)
    {"_ast", PyInit__ast},
    {"_warnings", _PyWarnings_Init},
    {"builtins", NULL},
    {"marshal", PyMarshal_Init},
    {"sys", NULL},
    {NULL, NULL},
};
