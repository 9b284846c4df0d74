/// Who takes what a codec reads, and answers by the codec's `give`. Called on the connection's loop.
package protocol EdgeReceiver: AnyObject {
    func received(_ part: EdgeRequestPart, on codec: EdgeCodec)
    /// The visitor takes bytes again.
    func outputIsWritable(on codec: EdgeCodec)
    /// The connection is gone.
    func ended(on codec: EdgeCodec)
}
