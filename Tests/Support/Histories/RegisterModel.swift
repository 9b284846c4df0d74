/// A register with compare-and-set.
package struct RegisterModel: HistoryModel {
    package enum Input: Sendable, Equatable {
        case read
        case write(Int)
        case compareAndSet(from: Int, to: Int)
    }

    package enum Output: Sendable, Equatable {
        /// `nil`: nothing was ever written.
        case value(Int?)
        case done
        /// The compared value was another.
        case refused
        case unknown
    }

    package let initial: Int? = nil

    package init() {}

    package func after(_ state: Int?, _ operation: HistoryOperation<Input, Output>) -> Int?? {
        switch (operation.input, operation.output) {
        case (.read, .value(let seen)): seen == state ? .some(state) : nil
        case (.read, _): .some(state)
        case (.write(let value), _): .some(value)
        case (.compareAndSet(let from, let to), .done): state == from ? .some(to) : nil
        case (.compareAndSet(let from, _), .refused): state == from ? nil : .some(state)
        case (.compareAndSet(let from, let to), _): .some(state == from ? to : state)
        }
    }

    package func onlyLooks(_ operation: HistoryOperation<Input, Output>) -> Bool {
        operation.input == .read || operation.output == .refused
    }
}
