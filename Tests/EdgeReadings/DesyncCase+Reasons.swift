package import EdgeHTTP

extension DesyncCase {
    /// Compliant requests that others serve and the guard refuses on purpose, with the rule that refuses each.
    package static let refusedOnPurpose: [String: EdgeRefusal] = [
        // No coding but `chunked`, once and alone: lists of codings are read in more than one way.
        "Correct TE OK": .codingUnknown,
        "Transfer-Encoding: identity and chunked OK": .codingUnknown,
        // No tab in a field that frames a body.
        "Different Transfer-Encoding headers combined": .malformed(.fieldValue),
        "TE with custom parameters OK": .malformed(.fieldValue),
        "Multiple transfer encoding headers in a single request OK": .malformed(.duplicate),
        "Different Transfer-Encoding headers": .malformed(.duplicate),
        "Transfer-Encoding with a param: chunked;custom_param": .malformed(.duplicate),
        // Bodies have a bound.
        "Large Size OK": .bodyTooLarge,
        // No `_` in a name, which some servers read as `-`; values are UTF-8, as they go into JSON and logs.
        "Valid custom header with underscore in name": .malformed(.fieldName),
        "Valid custom header with tchar in name and obs-text": .malformed(.fieldName),
        "Valid custom header with dot in name": .malformed(.fieldValue),
        "Valid custom header with digits in name": .malformed(.fieldValue),
        "Valid Transfer-Encoding (chunked) + custom header (non-ascii)": .malformed(.fieldValue),
        // A target is a path in its one plain form: no bytes that need escaping, no hidden control bytes.
        "Compliant URL": .malformed(.target),
        "International in URI": .malformed(.target),
        "Empty URI": .malformed(.target),
        "%09 in URI is OK": .malformed(.dotSegment),
        "%0D in URI is OK": .malformed(.dotSegment),
        "%0A in URI is OK": .malformed(.dotSegment),
    ]
}
