/// One key of a store that can be read, overwritten and appended to. Histories of several keys are split by key first,
/// which loses nothing: linearizability is local.
package struct KeyValueModel: HistoryModel {
    package enum Input: Sendable, Equatable {
        case get
        case put(String)
        case append(String)
    }

    package let initial = ""

    package init() {}

    package func after(_ state: String, _ operation: HistoryOperation<Input, String>) -> String? {
        switch operation.input {
        case .get: operation.output == state ? state : nil
        case .put(let value): value
        case .append(let value): state + value
        }
    }

    package func onlyLooks(_ operation: HistoryOperation<Input, String>) -> Bool { operation.input == .get }
}
