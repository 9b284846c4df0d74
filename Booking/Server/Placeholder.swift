@main
enum Booking {
    static func main() {}
}
