/// One SQL statement with its values. It is prepared once per connection under its name.
package struct Statement: Sendable {
    package let name: String
    package let sql: String
    package let parameters: [PostgresParameter]

    package init(_ name: String, _ sql: String, _ parameters: [PostgresParameter] = []) {
        self.name = name
        self.sql = sql
        self.parameters = parameters
    }
}
