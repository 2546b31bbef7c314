/* The adapter in one static file: CPython, msgspec, and all modules frozen.
 *
 * Nothing is read but this file: no path is searched, no environment variable of Python's
 * has an effect, and the environment stays as it was given. start.py is what runs.
 */
#include <Python.h>
#include <malloc.h>
#include <nss.h>
#include <sys/auxv.h>

extern struct _frozen frozen_modules[];
extern PyObject *PyInit__core(void);

/* What CPython builds as a shared library, and the frozen modules ask for: _typing and
 * _contextvars as they are, _ctypes as much as serve/libc.py calls. */

static PyObject *same(PyObject *module, PyObject *value) {
    (void)module;
    return Py_NewRef(value);
}

static PyMethodDef typing_methods[] = {{"_idfunc", same, METH_O, NULL}, {0}};
static struct PyModuleDef typing = {
    PyModuleDef_HEAD_INIT, .m_name = "_typing", .m_methods = typing_methods};

static PyObject *init_typing(void) {
    return PyModule_Create(&typing);
}

static PyObject *copy_context(PyObject *module, PyObject *none) {
    (void)module, (void)none;
    return PyContext_CopyCurrent();
}

static PyMethodDef context_methods[] = {
    {"copy_context", copy_context, METH_NOARGS, NULL}, {0}};
static struct PyModuleDef contextvars = {
    PyModuleDef_HEAD_INIT, .m_name = "_contextvars", .m_methods = context_methods};

static PyObject *init_contextvars(void) {
    PyObject *module = PyModule_Create(&contextvars);
    if (!module) return NULL;
    if (PyModule_AddObjectRef(module, "Context", (PyObject *)&PyContext_Type) < 0 ||
        PyModule_AddObjectRef(module, "ContextVar", (PyObject *)&PyContextVar_Type) < 0 ||
        PyModule_AddObjectRef(module, "Token", (PyObject *)&PyContextToken_Type) < 0)
        Py_CLEAR(module);
    return module;
}

/* dlopen("libc.so.6", 0) and dlsym(libc, "mallopt") give back their last argument, and
 * call_function("mallopt", (parameter, value)) calls it: the C library is linked in. */
static PyObject *last_argument(PyObject *module, PyObject *arguments) {
    (void)module;
    Py_ssize_t size = PyTuple_GET_SIZE(arguments);
    return size ? Py_NewRef(PyTuple_GET_ITEM(arguments, size - 1)) : PyTuple_New(0);
}

static PyObject *call_function(PyObject *module, PyObject *arguments) {
    (void)module;
    const char *name;
    int parameter, value;
    if (!PyArg_ParseTuple(arguments, "s(ii)", &name, &parameter, &value)) return NULL;
    if (strcmp(name, "mallopt") == 0) return PyLong_FromLong(mallopt(parameter, value));
    return PyErr_Format(PyExc_OSError, "%s is not linked in", name);
}

/* Hosts are looked up by what is linked in. What else the image's nsswitch.conf may name
 * would be loaded, and the image's C library with it. */
static PyObject *use_own_resolver(PyObject *module, PyObject *none) {
    (void)module, (void)none;
    return PyLong_FromLong(__nss_configure_lookup("hosts", "files dns"));
}

static PyMethodDef ctypes_methods[] = {{"dlopen", last_argument, METH_VARARGS, NULL},
                                       {"dlsym", last_argument, METH_VARARGS, NULL},
                                       {"call_function", call_function, METH_VARARGS, NULL},
                                       {"use_own_resolver", use_own_resolver, METH_NOARGS, NULL},
                                       {0}};
static struct PyModuleDef ctypes = {
    PyModuleDef_HEAD_INIT, .m_name = "_ctypes", .m_methods = ctypes_methods};

static PyObject *init_ctypes(void) {
    return PyModule_Create(&ctypes);
}

static void check(PyStatus status) {
    if (PyStatus_Exception(status)) Py_ExitStatusException(status);
}

static void configure(int argc, char **argv) {
    PyPreConfig before;
    PyPreConfig_InitIsolatedConfig(&before);
    before.utf8_mode = 1;
    check(Py_PreInitialize(&before));

    PyImport_AppendInittab("_typing", init_typing);
    PyImport_AppendInittab("_contextvars", init_contextvars);
    PyImport_AppendInittab("_ctypes", init_ctypes);
    PyImport_AppendInittab("msgspec._core", PyInit__core);
    PyImport_FrozenModules = frozen_modules;

    PyConfig config;
    PyConfig_InitIsolatedConfig(&config);
    config.code_debug_ranges = 0;
    config.parse_argv = 0;
    config.pathconfig_warnings = 0;
    config.site_import = 0;
    config.use_frozen_modules = 1;
    config.write_bytecode = 0;
    config.install_signal_handlers = 1;
    config.module_search_paths_set = 1; /* to none */
    check(PyConfig_SetBytesArgv(&config, argc, argv));
    /* Or they are searched for on the disk. */
    wchar_t **places[] = {&config.home,        &config.prefix,
                          &config.exec_prefix, &config.base_prefix,
                          &config.base_exec_prefix, &config.stdlib_dir};
    for (size_t each = 0; each < sizeof places / sizeof *places; each++)
        check(PyConfig_SetString(&config, places[each], L"/"));
    check(PyConfig_SetBytesString(&config, &config.executable, argv[0]));
    check(PyConfig_SetBytesString(&config, &config.base_executable, argv[0]));
    check(Py_InitializeFromConfig(&config));
    PyConfig_Clear(&config);
}

int main(int argc, char **argv) {
    /* The path that was executed: argv[0] may be anything, but is a file's to some. */
    char *path = (char *)getauxval(AT_EXECFN);
    if (argc < 1 || !path) return 64;
    argv[0] = path;
    configure(argc, argv);
    if (PyImport_ImportFrozenModule("lambda_adapter_start") <= 0)
        PyErr_Print(); /* which exits, if it is a SystemExit */
    return Py_FinalizeEx() < 0 ? 120 : 1;
}
