"""What is a name, a label, a port, an address: the checks that all kinds share, and the server's words for them.

Each `bad_*` function gives the complaints about a value, none if it is good (apimachinery/pkg/util/validation/validation.go).
"""

from __future__ import annotations

import ipaddress
import re
from functools import lru_cache

Complaints = tuple[str, ...]

LABEL_FORMAT = "[a-z0-9]([-a-z0-9]*[a-z0-9])?"
SUBDOMAIN_FORMAT = LABEL_FORMAT + r"(\." + LABEL_FORMAT + ")*"
DNS1035_FORMAT = "[a-z]([-a-z0-9]*[a-z0-9])?"
QUALIFIED_FORMAT = "([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]"
LABEL_VALUE_FORMAT = f"({QUALIFIED_FORMAT})?"
CONFIG_KEY_FORMAT = "[-._a-zA-Z0-9]+"
HEADER_FORMAT = "[-A-Za-z0-9]+"
WILDCARD_FORMAT = r"\*\." + SUBDOMAIN_FORMAT
UNDERSCORE_LABEL_FORMAT = "_?[a-z0-9]([-_a-z0-9]*[a-z0-9])?"
UNDERSCORE_FORMAT = UNDERSCORE_LABEL_FORMAT + r"(\." + UNDERSCORE_LABEL_FORMAT + ")*"

LABEL_WORDS = ("a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end "
               "with an "
               "alphanumeric character")
SUBDOMAIN_WORDS = ("a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must "
                   "start and "
                   "end with an alphanumeric character")
QUALIFIED_WORDS = ("must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an "
                   "alphanumeric character")

LABEL, SUBDOMAIN = re.compile(LABEL_FORMAT + r"\Z"), re.compile(SUBDOMAIN_FORMAT + r"\Z")
QUALIFIED, LABEL_VALUE = re.compile(QUALIFIED_FORMAT + r"\Z"), re.compile(LABEL_VALUE_FORMAT + r"\Z")

LEADING_ZEROS = re.compile(r"(?<![\d:a-fA-F])0+(?=\d+(?:\.|\Z))")
HTTP_PATH_FORMAT = r"[A-Za-z0-9/\-._~%!$&'()*+,;=:]+"

NEGATIVE = "must be greater than or equal to 0"  # IsNegativeErrorMsg
NOT_POSITIVE = "must be greater than zero"
IMMUTABLE = "field is immutable"
FILE_MODE = "must be a number between 0 and 0777 (octal), both inclusive"


def no_match(words: str, regex: str, *examples: str) -> str:
    """RegexError: the odd spacing is the server's."""
    shown = " or ".join(f"'{example}', " for example in examples)
    return f"{words} (e.g. {shown}regex used for validation is '{regex}')" if examples else (
        f"{words} (regex used for validation is '{regex}')")


def too_long(limit: int) -> str:
    return f"must be no more than {limit} characters"


def too_many_bytes(limit: int) -> str:
    """MaxLenError of S/apimachinery/pkg/api/validate/content, where the checks of labels' keys and values have moved (1.34)."""
    return f"must be no more than {limit} bytes"


def out_of_range(low: int, high: int) -> str:
    return f"must be between {low} and {high}, inclusive"


@lru_cache(maxsize=4096)
def bad_label(value: str) -> Complaints:
    """IsDNS1123Label."""
    out = () if len(value) <= 63 else (too_long(63),)
    if LABEL.match(value):
        return out
    if SUBDOMAIN.match(value):
        return (*out, "must not contain dots")
    return (*out, no_match(LABEL_WORDS, LABEL_FORMAT, "my-name", "123-abc"))


@lru_cache(maxsize=4096)
def bad_subdomain(value: str) -> Complaints:
    """IsDNS1123Subdomain."""
    out = () if len(value) <= 253 else (too_long(253),)
    return out if SUBDOMAIN.match(value) else (*out, no_match(SUBDOMAIN_WORDS, SUBDOMAIN_FORMAT, "example.com"))


def bad_subdomain_with_underscore(value: str) -> Complaints:
    """IsDNS1123SubdomainWithUnderscore."""
    out = () if len(value) <= 253 else (too_long(253),)
    words = ("a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '_', '-' or '.', and must start "
             "and "
             "end with an alphanumeric character")
    return out if re.match(UNDERSCORE_FORMAT + r"\Z", value) else (*out, no_match(words, UNDERSCORE_FORMAT, "example.com"))


def bad_dns1035_label(value: str) -> Complaints:
    """IsDNS1035Label."""
    out = () if len(value) <= 63 else (too_long(63),)
    words = ("a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, "
             "and end "
             "with an alphanumeric character")
    return out if re.match(DNS1035_FORMAT + r"\Z", value) else (*out, no_match(words, DNS1035_FORMAT, "my-name", "abc-123"))


def bad_wildcard(value: str) -> Complaints:
    """IsWildcardDNS1123Subdomain."""
    words = ("a wildcard DNS-1123 subdomain must start with '*.', followed by a valid DNS subdomain, which must consist of lower "
             "case "
             "alphanumeric characters, '-' or '.' and end with an alphanumeric character")
    return () if re.match(WILDCARD_FORMAT + r"\Z", value) else (no_match(words, WILDCARD_FORMAT, "*.example.com"),)


@lru_cache(maxsize=4096)
def bad_qualified_name(value: str) -> Complaints:
    """IsLabelKey: label and annotation keys, resource names, condition types."""
    words = no_match(QUALIFIED_WORDS, QUALIFIED_FORMAT, "MyName", "my.name", "123-abc")
    parts = value.split("/")
    out: list[str] = []
    if len(parts) > 2:
        return (f"a valid label key {words} with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')",)
    if len(parts) == 2:
        if not parts[0]:
            out.append("prefix part must be non-empty")
        else:
            out += ("prefix part " + complaint.replace(too_long(253), too_many_bytes(253)) for complaint in bad_subdomain(parts[0]))
    name = parts[-1]
    if not name:
        out.append("name part must be non-empty")
    elif len(name) > 63:
        out.append("name part " + too_many_bytes(63))
    if not QUALIFIED.match(name):
        out.append("name part " + words)
    return tuple(out)


@lru_cache(maxsize=4096)
def bad_label_value(value: str) -> Complaints:
    """IsLabelValue."""
    out = () if len(value) <= 63 else (too_many_bytes(63),)
    words = ("a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and "
             "end with "
             "an alphanumeric character")
    return out if LABEL_VALUE.match(value) else (*out, no_match(words, LABEL_VALUE_FORMAT, "MyValue", "my_value", "12345"))


def bad_config_key(value: str) -> Complaints:
    """IsConfigMapKey."""
    out: list[str] = []
    if len(value) > 253:
        out.append(too_long(253))
    if not re.match(CONFIG_KEY_FORMAT + r"\Z", value):
        out.append(no_match("a valid config key must consist of alphanumeric characters, '-', '_' or '.'", CONFIG_KEY_FORMAT,
                            "key.name", "KEY_NAME", "key-name"))
    if value == ".":
        out.append("must not be '.'")
    elif value == "..":
        out.append("must not be '..'")
    elif value.startswith(".."):
        out.append("must not start with '..'")
    return tuple(out)


def bad_env_name(value: str) -> Complaints:
    """IsRelaxedEnvVarName: any printable ASCII but '='."""
    if not value:
        return ("environment variable name must be non-empty",)
    if all(" " <= char <= "~" and char != "=" for char in value):
        return ()
    return ("a valid environment variable name must consist only of printable ASCII characters other than '='",)


def bad_header(value: str) -> Complaints:
    """IsHTTPHeaderName."""
    if re.match(HEADER_FORMAT + r"\Z", value):
        return ()
    return (no_match("a valid HTTP header must consist of alphanumeric characters or '-'", HEADER_FORMAT, "X-Header-Name"),)


def bad_port(value: int) -> Complaints:
    """IsValidPortNum."""
    return () if 1 <= value <= 65535 else (out_of_range(1, 65535),)


def bad_port_name(value: str) -> Complaints:
    """IsValidPortName (RFC 6335 service names)."""
    out: list[str] = []
    if len(value) > 15:
        out.append(too_long(15))
    if not re.match(r"[-a-z0-9]+\Z", value):
        out.append("must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)")
    if not re.search("[a-z]", value):
        out.append("must contain at least one letter (a-z)")
    if "--" in value:
        out.append("must not contain consecutive hyphens")
    if value and (value[0] == "-" or value[-1] == "-"):
        out.append("must not begin or end with a hyphen")
    return tuple(out)


def bad_id(value: int) -> Complaints:
    """IsValidUserID and IsValidGroupID."""
    return () if 0 <= value <= 2**31 - 1 else (out_of_range(0, 2**31 - 1),)


def address(value: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """The address a text means, or None. Zeros before a number mean nothing (netutils.ParseIPSloppy)."""
    try:
        return ipaddress.ip_address(LEADING_ZEROS.sub("", value))
    except ValueError:
        return None


def bad_ip(value: str) -> Complaints:
    """IsValidIPForLegacyField; of what older servers took, StrictIPCIDRValidation (on since 1.36) takes no more."""
    found = address(value)
    if found is None or "%" in value:
        return ("must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)",)
    if LEADING_ZEROS.search(value):
        return ("must not have leading 0s",)
    return ("must not be an IPv4-mapped IPv6 address",) if isinstance(found, ipaddress.IPv6Address) and found.ipv4_mapped else ()


def bad_cidr(value: str) -> Complaints:
    """IsValidCIDRForLegacyField, as strict."""
    base, _, length = value.partition("/")
    found, whole = address(base), network(value)
    if found is None or whole is None:
        return ("must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)",)
    if LEADING_ZEROS.search(base) or (length[0] == "0" and length != "0"):
        return ("must not have leading 0s in IP or prefix length",)
    if isinstance(found, ipaddress.IPv6Address) and found.ipv4_mapped:
        return ("must not have an IPv4-mapped IPv6 address",)
    if whole.network_address != found:
        return ("must not have bits set beyond the prefix length",)
    return ()


def network(value: str) -> ipaddress.IPv4Network | ipaddress.IPv6Network | None:
    """The network a text means, or None; zeros before numbers and bits after the prefix mean nothing (netutils.ParseCIDRSloppy)."""
    base, slash, length = value.partition("/")
    found = address(base)
    if found is None or not slash or not length.isdecimal() or int(length) > found.max_prefixlen:
        return None
    return ipaddress.ip_network(f"{found}/{int(length)}", strict=False)


def bad_domain_prefixed_path(value: str) -> list[tuple[str, str]]:
    """IsDomainPrefixedPath: what is wrong, each with the part that is."""
    host, _, rest = value.partition("/")
    if not host or not rest:
        return [(value, 'must be a domain-prefixed path (such as "acme.io/foo")')]
    found = [(host, complaint) for complaint in bad_subdomain(host)]
    if not re.match(HTTP_PATH_FORMAT + r"\Z", rest):
        found.append((rest, no_match("Invalid path", HTTP_PATH_FORMAT)))
    return found


def bad_percent(value: str) -> Complaints:
    """IsValidPercent."""
    if re.match(r"[0-9]+%\Z", value):
        return ()
    return (no_match("a valid percent string must be a numeric string followed by an ending '%'", "[0-9]+%", "1%", "93%"),)


def bad_path_segment(value: str) -> Complaints:
    """IsValidPathSegmentName: the names of RBAC objects."""
    if value in (".", ".."):
        return (f"may not be '{value}'",)
    return tuple(f"may not contain '{char}'" for char in "/%" if char in value)
