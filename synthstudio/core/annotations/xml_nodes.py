"""XML from strangers, parsed without entities or document types, with the line of every element."""

import xml.sax.handler
import xml.sax.xmlreader
from dataclasses import dataclass, field
from xml.sax import SAXException, SAXParseException

import defusedxml.sax
from defusedxml.common import DefusedXmlException
from typing_extensions import override


@dataclass(slots=True)
class XmlNode:
    """One element: its name, the line where it begins, its own text and its children."""

    name: str
    line: int
    text: str = ""
    children: list["XmlNode"] = field(default_factory=list)

    def find(self, name: str) -> "XmlNode | None":
        """Return the first child of this name."""
        return next((child for child in self.children if child.name == name), None)

    def find_all(self, name: str) -> list["XmlNode"]:
        """Return all children of this name."""
        return [child for child in self.children if child.name == name]

    def text_of(self, name: str) -> str:
        """Return the stripped text of the first child of this name, or an empty string."""
        child = self.find(name)
        return child.text.strip() if child else ""


class XmlError(Exception):
    """The text is no acceptable XML."""

    def __init__(self, message: str, line: int | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.line = line


def parse_xml(data: bytes) -> XmlNode:
    """Return the root element.

    Raises:
        XmlError: The XML is malformed, or has a document type or entities (which could read files or fill memory).
    """
    builder = _TreeBuilder()
    try:
        defusedxml.sax.parseString(data, builder, forbid_dtd=True)
    except DefusedXmlException as error:
        raise XmlError("has a document type or entity definitions, which are refused for safety") from error
    except SAXParseException as error:
        raise XmlError(f"is malformed XML: {error.getMessage()}", error.getLineNumber()) from error
    except (SAXException, LookupError, ValueError) as error:
        # LookupError and ValueError: an encoding that Python does not know, or that the text does not follow.
        raise XmlError(f"is malformed XML: {error}") from error
    if builder.root is None:
        raise XmlError("is malformed XML: it has no element")
    return builder.root


class _TreeBuilder(xml.sax.handler.ContentHandler):
    """Builds nodes without recursion, so that deep nesting cannot exhaust the stack."""

    def __init__(self) -> None:
        super().__init__()
        self.root: XmlNode | None = None
        self._open: list[XmlNode] = []
        self._locator: xml.sax.xmlreader.Locator | None = None

    @override
    def setDocumentLocator(self, locator: xml.sax.xmlreader.Locator) -> None:
        self._locator = locator

    @override
    def startElement(self, name: str, attrs: xml.sax.xmlreader.AttributesImpl) -> None:
        node = XmlNode(name, (self._locator.getLineNumber() or 0) if self._locator else 0)
        if self._open:
            self._open[-1].children.append(node)
        else:
            self.root = node
        self._open.append(node)

    @override
    def endElement(self, name: str) -> None:
        self._open.pop()

    @override
    def characters(self, content: str) -> None:
        self._open[-1].text += content
