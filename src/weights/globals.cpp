#include "weights/globals.h"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>

#include "weights/refusal.h"

namespace alcove::weights {
namespace {

constexpr std::size_t kMaxName = 1000;

// Word lists, each word between blanks.

// Top-level modules of Python's library, all versions since 2.7; those that begin with one underscore are its
// insides and need no list.
constexpr std::string_view kPythonModules =
    " abc aifc antigravity argparse array ast asynchat asyncio asyncore atexit audioop base64 bdb"
    " binascii bisect builtins bz2 cProfile calendar cgi cgitb chunk cmath cmd code codecs codeop"
    " collections colorsys commands compileall compiler concurrent configparser contextlib contextvars"
    " copy copyreg crypt csv ctypes curses dataclasses datetime dbm decimal difflib dis distutils"
    " doctest email encodings ensurepip enum errno faulthandler fcntl filecmp fileinput fnmatch"
    " fractions ftplib functools gc genericpath getopt getpass gettext glob graphlib grp gzip hashlib"
    " heapq hmac html http idlelib imaplib imghdr imp importlib inspect io ipaddress itertools json"
    " keyword lib2to3 linecache locale logging lzma mailbox mailcap marshal math mimetypes mmap"
    " modulefinder msilib msvcrt multiprocessing netrc new nis nntplib nt ntpath nturl2path numbers"
    " opcode operator optparse os ossaudiodev pathlib pdb pickle pickletools pip pipes pkgutil platform"
    " plistlib popen2 poplib posix posixpath pprint profile pstats pty pwd py_compile pyclbr pydoc"
    " pydoc_data pyexpat queue quopri random re readline reprlib resource rlcompleter runpy sched"
    " secrets select selectors setuptools shelve shlex shutil signal site smtpd smtplib sndhdr socket"
    " socketserver spwd sqlite3 sre_compile sre_constants sre_parse ssl stat statistics string"
    " stringprep struct subprocess sunau symtable sys sysconfig syslog tabnanny tarfile telnetlib"
    " tempfile termios textwrap this threading time timeit tkinter token tokenize tomllib trace"
    " traceback tracemalloc tty turtle turtledemo types typing unicodedata unittest urllib urllib2 uu"
    " uuid venv warnings wave weakref webbrowser winreg winsound wsgiref xdrlib xml xmlrpc zipapp"
    " zipfile zipimport zlib zoneinfo ";

// What checkpoints hold of Python's library. Ultralytics' older heads name a method by getattr.
constexpr std::string_view kPythonNames =
    " _codecs.encode argparse.Namespace array._array_reconstructor array.array builtins.Ellipsis"
    " builtins.NotImplemented builtins.bool builtins.bytearray builtins.bytes builtins.complex"
    " builtins.dict builtins.float builtins.frozenset builtins.getattr builtins.int builtins.list"
    " builtins.object builtins.range builtins.set builtins.slice builtins.str builtins.tuple"
    " builtins.type collections.Counter collections.OrderedDict collections.UserDict"
    " collections.UserList collections.defaultdict collections.deque copyreg.__newobj__"
    " copyreg.__newobj_ex__ copyreg._reconstructor datetime.date datetime.datetime datetime.time"
    " datetime.timedelta datetime.timezone decimal.Decimal fractions.Fraction functools.partial"
    " logging.Logger logging.getLogger pathlib.Path pathlib.PosixPath"
    " pathlib.PurePath pathlib.PurePosixPath pathlib.PureWindowsPath pathlib.WindowsPath"
    " pathlib._local.PosixPath pathlib._local.WindowsPath random.Random re._compile time.struct_time"
    " types.MappingProxyType types.SimpleNamespace typing.Any typing.Callable typing.Dict typing.List"
    " typing.Literal typing.Optional typing.Tuple typing.Union uuid.UUID zoneinfo.ZoneInfo"
    " zoneinfo.ZoneInfo._unpickle ";

// Rule 2: modules that no package's classes are reached through, and functions that run what they are given.
constexpr std::string_view kModulesThatRun =
    " __builtins__ __globals__ __loader__ builtins ctypes importlib nt os posix pty runpy shutil socket"
    " subprocess sys ";
constexpr std::string_view kFunctionsThatRun =
    " Popen __import__ __subclasses__ eval exec execfile fork popen read_pickle runstring spawn system ";

// Rule 2: what fetches, builds, installs or unpickles in packages that rule 4 trusts.
constexpr std::string_view kCornersThatRun =
    " torch.hub torch.load torch.jit.load torch.serialization.load torch._inductor torch.package"
    " torch.utils.cpp_extension torch.distributed.rpc numpy.load numpy.f2py numpy.testing"
    " numpy.distutils pandas.io ultralytics.hub ultralytics.utils.checks ultralytics.utils.downloads ";

// Rule 4: packages whose own functions their checkpoints call. "models" and "utils" are YOLOv5's.
constexpr std::string_view kTrustedRoots =
    " torch torchvision torchaudio ultralytics yolov5 models utils numpy pandas omegaconf"
    " pytorch_lightning lightning timm transformers tokenizers adapters easydict sentence_transformers"
    " addict yacs mmengine ";

std::string_view modern(std::string_view module) {
  if (module == "__builtin__") return "builtins";
  if (module == "copy_reg") return "copyreg";
  if (module == "UserDict" || module == "UserList") return "collections";
  return module;
}

bool has(std::string_view words, std::string_view word) {
  return words.find(fmt::format(" {} ", word)) != std::string_view::npos;
}

std::string_view root_of(std::string_view name) { return name.substr(0, name.find('.')); }
std::string_view last_of(std::string_view name) { return name.substr(name.rfind('.') + 1); }

bool of_python(std::string_view root) {
  const bool inside = root.starts_with('_') && root != "__main__" && root != "__mp_main__";
  return inside || has(kPythonModules, root);
}

bool passes_through_code(std::string_view name) {
  if (has(kFunctionsThatRun, last_of(name))) return true;
  for (auto dot = name.find('.'); dot != std::string_view::npos; dot = name.find('.', dot + 1)) {
    if (has(kCornersThatRun, name.substr(0, dot))) return true;
    if (has(kModulesThatRun, root_of(name.substr(dot + 1)))) return true;
  }
  return has(kCornersThatRun, name);
}

// Names are shown to people, in logs and on terminals.
bool is_printable(std::string_view name) {
  return std::ranges::all_of(
      name, [](char letter) { return static_cast<unsigned char>(letter) > ' ' && letter != 127; });
}

std::unexpected<Error> refused(std::string_view name, std::string_view verb) {
  return unsafe(
      fmt::format("the pickle {} {}, which no weights need and which could run a command", verb, name));
}

}  // namespace

Result<std::string> accept_name(std::string_view module, std::string_view name) {
  if (module.size() + name.size() > kMaxName || !is_printable(module) || !is_printable(name) || name.empty())
    return damaged("the pickle names a class by something that is not a name");
  auto full = module.empty() ? std::string(name) : fmt::format("{}.{}", modern(module), name);
  const auto root = root_of(full);
  if (of_python(root) && !has(kPythonNames, full)) return refused(full, "names");
  if (passes_through_code(full)) return refused(full, "names");
  return full;
}

Result<void> accept_call(std::string_view name) {
  const auto root = root_of(name);
  // Python's own were accepted one by one.
  if (of_python(root) || has(kTrustedRoots, root)) return {};
  auto last = last_of(name);
  last.remove_prefix(std::min(last.find_first_not_of('_'), last.size()));
  const bool is_class = !last.empty() && last.front() >= 'A' && last.front() <= 'Z';
  if (!is_class) return refused(name, "calls");
  return {};
}

}  // namespace alcove::weights
