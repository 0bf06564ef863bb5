import Concord

/// What web servers have to be told about a tree. Files go out as they are, never packed: ranges of them are asked for,
/// and a `.zst` file with a `Content-Encoding` would arrive unpacked. Web pages of other origins may read them. An
/// immutable name that is not there is not cached: it may be there soon.
enum ServerConfiguration {
    static let nginx =
        """
        # A Concord tree in nginx: put «root» and these lines, or «include» and this file's name, into its server block.
        # «autoindex on;» lets people list its folders.
        add_header Access-Control-Allow-Origin * always;
        add_header Access-Control-Expose-Headers Content-Range always;
        gzip off;

        """
        + TreeFileKind.all.map { kind in
            """
            location ~ \(kind.expression) {
                types { }
                default_type "\(kind.contentType)";
                add_header Cache-Control "\(kind.cacheControl)";
                add_header Access-Control-Allow-Origin * always;
                add_header Access-Control-Expose-Headers Content-Range always;
            }

            """
        }.joined()

    static let caddy =
        """
        # A Concord tree in Caddy: put «root», «file_server» and these lines, or «import» and this file's name, into its
        # site block, without «encode». «file_server browse» lets people list its folders.
        header Access-Control-Allow-Origin *
        header Access-Control-Expose-Headers Content-Range

        """
        + TreeFileKind.all.enumerated().map { index, kind in
            """
            @concord\(index) {
                path_regexp \(kind.expression)\(kind.isImmutable ? "\n    file" : "")
            }
            header @concord\(index) {
                Content-Type "\(kind.contentType)"
                Cache-Control "\(kind.cacheControl)"
            }

            """
        }.joined()
}
