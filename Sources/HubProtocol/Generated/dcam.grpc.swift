/// dcam: delivery. An agent ships its journal; the hub acknowledges what its database has committed.
///
/// Transport: gRPC over HTTP/2 over TLS 1.2 or later with client certificates from csr. The install is the certificate's subject
/// common name; nothing in a message can claim another.
///
/// A record is identified by (install, journal, epoch, sequence). Sequences are gapless from 1 within an epoch. `hash` is the RFC 6962 leaf
/// hash of the record's canonical bytes (docs/formats/journal.md):
///
///     SHA-256(0x00 || version u8 = 1 || epoch u32 || sequence u64 || time i64 || payload length u32 || payload)    big-endian
///
/// The hub recomputes it for every record. Delivery is at least once; a record that the hub already holds with the same hash is a
/// duplicate and is acknowledged again. The same identity with another hash is a conflict: both are kept, and the agent is told.
///
/// One stream, in order:
///
///     agent                                   hub
///       Hello {journal, heads}      ------>
///                                   <------   Welcome {holdings}
///       Batch {epoch, records}      ------>                          (commits)
///                                   <------   Acknowledgement {epoch, sequence}
///       Batch ...                   ------>   ...
///       Lost {epoch, first, last}   ------>                          (commits)
///                                   <------   Acknowledgement
///       SealedCheckpoint            ------>
///                                   <------   Countersignature
///                                   <------   Rejection / Conflict / Acknowledgement
///
/// The agent sends from what the hub holds onward, whatever it remembers itself. It may have `Welcome.window_records` records unacknowledged.
/// An acknowledgement is cumulative within its epoch and is sent only after the hub's database has committed.
///
/// Answers are never lost with a stream: what the hub said of records that it holds (`Rejection`, `Conflict`) is repeated in the welcome, from the
/// place on that the agent's Hello names.
///
/// Records that damage took from the agent's journal are lost for ever unless the hub holds them; so are those that the agent removed after the
/// hub had countersigned them, if the hub lost them since. `Lost` stands in their place in the stream: the hub
/// keeps what it holds, notes the rest as lost, and what it holds counts as going on behind them. No later message brings such a record: what is
/// sent under its identity is answered as a conflict. A hub that knows `Lost` says so in its welcome; an agent sends it to no other, and leaves the
/// epoch where the loss begins.
///
/// A checkpoint whose root is that of the records that the hub holds, and whose signature is the journal's, is countersigned: the hub adds its
/// signature to the note and sends it back. Only such a copy, held by two, shows later that a journal was cut back or replaced; and an agent
/// removes old records only up to a checkpoint that its hub has countersigned. The hub's key is told in the welcome, and trusted because the hub
/// proved in TLS who it is. One that does not verify is refused with a `Rejection` of the same epoch and sequence.
///
/// Normal mode is the same in single exchanges, for networks that do not keep connections: `CheckIn` takes what one message of the stream has,
/// and answers with what the stream would have answered. A check-in begins with an exchange that has nothing but the Hello; its welcome says
/// what the hub holds. Then as many exchanges follow as there is backlog, each answered before the next, and the connection ends. The hub says
/// when to check in again. Each exchange stands by itself: whatever is cut off between request and answer is asked again by the next check-in's
/// Hello.
///
/// The fast lane: a record that should not wait behind a backlog (an alert) is sent ahead of its turn, in `CheckInRequest.express`, in a call
/// of its own, so that no window of the stream is in its way; in service mode beside the stream on the same connection. It is the same record
/// under the same identity, and its turn comes nevertheless: nothing about holdings, acknowledgements, losses and roots changes by it. The hub
/// checks the hash, commits, and answers each with an `ExpressAnswer`. It keeps such a record beside the ordered ones until the record of this
/// identity comes in its turn: with the same hash the copy is a duplicate and goes; with another hash it is a conflict: the ordered record
/// takes its place, both are kept, and the agent is told. A hub that knows this says so in its welcome (`takes_express`); an agent sends
/// express records to no other. What the hub does not take this way (it keeps only so many) it refuses with a reason, and the record comes in
/// its turn: a refusal here is no `Rejection`.
///
/// Jobs come down the same way: what the hub wants done, of a predefined set, in the stream (`HubMessage.job`) or in the answer to a check-in's
/// first exchange (`CheckInResponse.jobs`). A hub sends them to agents alone whose Hello says `takes_jobs`. What becomes of a job are records like
/// all others, ahead of their turn where there is a backlog: JobReceived, JobStarted, and JobCompleted, JobFailed, JobExpired or JobRefused
/// (docs/formats/events.md). The hub repeats a job at each welcome and now and then in a stream until it holds JobReceived or an end; the agent
/// runs it at most once per id: it is received, and begun, when the journal's disk has it so, and what was begun when the agent's process ended is
/// failed and never begun again. Arguments are checked at the agent against its own configuration, whatever the hub thinks of them.
///
/// Messages may be compressed with gzip as gRPC does it (grpc-encoding). The hub takes compressed messages always, counts what they unpack to
/// against the same limits, and compresses its answers for those who say that they accept it. It pays for batches of a few records and more.
///
/// Errors are gRPC status codes:
///   UNAUTHENTICATED      no client certificate, or one that this hub did not issue, or expired.
///   PERMISSION_DENIED    the install was revoked.
///   INVALID_ARGUMENT     the stream does not follow the order above, or a batch has gaps.
///   RESOURCE_EXHAUSTED   wait for the time in the trailer `retry-after-ms`, then come back.
///   UNAVAILABLE          the hub is going down or cannot store now; come back with backoff and full jitter.

// DO NOT EDIT.
// swift-format-ignore-file
// swiftlint:disable all
//
// Generated by the gRPC Swift generator plugin for the protocol buffer compiler.
// Source: dcam.proto
//
// For information on using the generated types, please see the documentation:
//   https://github.com/grpc/grpc-swift

package import GRPCCore
internal import GRPCProtobuf

// MARK: - printtrail.dcam.v1.DeviceCollection

/// Namespace containing generated types for the "printtrail.dcam.v1.DeviceCollection" service.
@available(macOS 15.0, iOS 18.0, watchOS 11.0, tvOS 18.0, visionOS 2.0, *)
package enum Printtrail_Dcam_V1_DeviceCollection: Sendable {
    /// Service descriptor for the "printtrail.dcam.v1.DeviceCollection" service.
    package static let descriptor = GRPCCore.ServiceDescriptor(fullyQualifiedService: "printtrail.dcam.v1.DeviceCollection")
    /// Namespace for method metadata.
    package enum Method: Sendable {
        /// Namespace for "Stream" metadata.
        package enum Stream: Sendable {
            /// Request type for "Stream".
            package typealias Input = Printtrail_Dcam_V1_AgentMessage
            /// Response type for "Stream".
            package typealias Output = Printtrail_Dcam_V1_HubMessage
            /// Descriptor for "Stream".
            package static let descriptor = GRPCCore.MethodDescriptor(
                service: GRPCCore.ServiceDescriptor(fullyQualifiedService: "printtrail.dcam.v1.DeviceCollection"),
                method: "Stream",
                type: .bidirectionalStreaming
            )
        }
        /// Namespace for "CheckIn" metadata.
        package enum CheckIn: Sendable {
            /// Request type for "CheckIn".
            package typealias Input = Printtrail_Dcam_V1_CheckInRequest
            /// Response type for "CheckIn".
            package typealias Output = Printtrail_Dcam_V1_CheckInResponse
            /// Descriptor for "CheckIn".
            package static let descriptor = GRPCCore.MethodDescriptor(
                service: GRPCCore.ServiceDescriptor(fullyQualifiedService: "printtrail.dcam.v1.DeviceCollection"),
                method: "CheckIn",
                type: .unary
            )
        }
        /// Descriptors for all methods in the "printtrail.dcam.v1.DeviceCollection" service.
        package static let descriptors: [GRPCCore.MethodDescriptor] = [
            Stream.descriptor,
            CheckIn.descriptor
        ]
    }
}

@available(macOS 15.0, iOS 18.0, watchOS 11.0, tvOS 18.0, visionOS 2.0, *)
extension GRPCCore.ServiceDescriptor {
    /// Service descriptor for the "printtrail.dcam.v1.DeviceCollection" service.
    package static let printtrail_dcam_v1_DeviceCollection = GRPCCore.ServiceDescriptor(fullyQualifiedService: "printtrail.dcam.v1.DeviceCollection")
}

// MARK: printtrail.dcam.v1.DeviceCollection (server)

@available(macOS 15.0, iOS 18.0, watchOS 11.0, tvOS 18.0, visionOS 2.0, *)
extension Printtrail_Dcam_V1_DeviceCollection {
    /// Streaming variant of the service protocol for the "printtrail.dcam.v1.DeviceCollection" service.
    ///
    /// This protocol is the lowest-level of the service protocols generated for this service
    /// giving you the most flexibility over the implementation of your service. This comes at
    /// the cost of more verbose and less strict APIs. Each RPC requires you to implement it in
    /// terms of a request stream and response stream. Where the RPC expects only a single
    /// request or response message, you are responsible for ensuring your implementation
    /// maintains this invariant.
    ///
    /// Where possible, prefer using the stricter, less-verbose ``ServiceProtocol``
    /// or ``SimpleServiceProtocol`` instead.
    package protocol StreamingServiceProtocol: GRPCCore.RegistrableRPCService {
        /// Handle the "Stream" method.
        ///
        /// > Source IDL Documentation:
        /// >
        /// > Service mode: records up, acknowledgements down, for as long as both live.
        ///
        /// - Parameters:
        ///   - request: A streaming request of `Printtrail_Dcam_V1_AgentMessage` messages.
        ///   - context: Context providing information about the RPC.
        /// - Throws: Any error which occurred during the processing of the request. Thrown errors
        ///     of type `RPCError` are mapped to appropriate statuses. All other errors are converted
        ///     to an internal error.
        /// - Returns: A streaming response of `Printtrail_Dcam_V1_HubMessage` messages.
        func stream(
            request: GRPCCore.StreamingServerRequest<Printtrail_Dcam_V1_AgentMessage>,
            context: GRPCCore.ServerContext
        ) async throws -> GRPCCore.StreamingServerResponse<Printtrail_Dcam_V1_HubMessage>

        /// Handle the "CheckIn" method.
        ///
        /// > Source IDL Documentation:
        /// >
        /// > Normal mode: one exchange with the same meaning, for networks that do not keep connections. An empty batch asks what is held. In both modes
        /// > the fast lane.
        ///
        /// - Parameters:
        ///   - request: A streaming request of `Printtrail_Dcam_V1_CheckInRequest` messages.
        ///   - context: Context providing information about the RPC.
        /// - Throws: Any error which occurred during the processing of the request. Thrown errors
        ///     of type `RPCError` are mapped to appropriate statuses. All other errors are converted
        ///     to an internal error.
        /// - Returns: A streaming response of `Printtrail_Dcam_V1_CheckInResponse` messages.
        func checkIn(
            request: GRPCCore.StreamingServerRequest<Printtrail_Dcam_V1_CheckInRequest>,
            context: GRPCCore.ServerContext
        ) async throws -> GRPCCore.StreamingServerResponse<Printtrail_Dcam_V1_CheckInResponse>
    }

    /// Service protocol for the "printtrail.dcam.v1.DeviceCollection" service.
    ///
    /// This protocol is higher level than ``StreamingServiceProtocol`` but lower level than
    /// the ``SimpleServiceProtocol``, it provides access to request and response metadata and
    /// trailing response metadata. If you don't need these then consider using
    /// the ``SimpleServiceProtocol``. If you need fine grained control over your RPCs then
    /// use ``StreamingServiceProtocol``.
    package protocol ServiceProtocol: Printtrail_Dcam_V1_DeviceCollection.StreamingServiceProtocol {
        /// Handle the "Stream" method.
        ///
        /// > Source IDL Documentation:
        /// >
        /// > Service mode: records up, acknowledgements down, for as long as both live.
        ///
        /// - Parameters:
        ///   - request: A streaming request of `Printtrail_Dcam_V1_AgentMessage` messages.
        ///   - context: Context providing information about the RPC.
        /// - Throws: Any error which occurred during the processing of the request. Thrown errors
        ///     of type `RPCError` are mapped to appropriate statuses. All other errors are converted
        ///     to an internal error.
        /// - Returns: A streaming response of `Printtrail_Dcam_V1_HubMessage` messages.
        func stream(
            request: GRPCCore.StreamingServerRequest<Printtrail_Dcam_V1_AgentMessage>,
            context: GRPCCore.ServerContext
        ) async throws -> GRPCCore.StreamingServerResponse<Printtrail_Dcam_V1_HubMessage>

        /// Handle the "CheckIn" method.
        ///
        /// > Source IDL Documentation:
        /// >
        /// > Normal mode: one exchange with the same meaning, for networks that do not keep connections. An empty batch asks what is held. In both modes
        /// > the fast lane.
        ///
        /// - Parameters:
        ///   - request: A request containing a single `Printtrail_Dcam_V1_CheckInRequest` message.
        ///   - context: Context providing information about the RPC.
        /// - Throws: Any error which occurred during the processing of the request. Thrown errors
        ///     of type `RPCError` are mapped to appropriate statuses. All other errors are converted
        ///     to an internal error.
        /// - Returns: A response containing a single `Printtrail_Dcam_V1_CheckInResponse` message.
        func checkIn(
            request: GRPCCore.ServerRequest<Printtrail_Dcam_V1_CheckInRequest>,
            context: GRPCCore.ServerContext
        ) async throws -> GRPCCore.ServerResponse<Printtrail_Dcam_V1_CheckInResponse>
    }

    /// Simple service protocol for the "printtrail.dcam.v1.DeviceCollection" service.
    ///
    /// This is the highest level protocol for the service. The API is the easiest to use but
    /// doesn't provide access to request or response metadata. If you need access to these
    /// then use ``ServiceProtocol`` instead.
    package protocol SimpleServiceProtocol: Printtrail_Dcam_V1_DeviceCollection.ServiceProtocol {
        /// Handle the "Stream" method.
        ///
        /// > Source IDL Documentation:
        /// >
        /// > Service mode: records up, acknowledgements down, for as long as both live.
        ///
        /// - Parameters:
        ///   - request: A stream of `Printtrail_Dcam_V1_AgentMessage` messages.
        ///   - response: A response stream of `Printtrail_Dcam_V1_HubMessage` messages.
        ///   - context: Context providing information about the RPC.
        /// - Throws: Any error which occurred during the processing of the request. Thrown errors
        ///     of type `RPCError` are mapped to appropriate statuses. All other errors are converted
        ///     to an internal error.
        func stream(
            request: GRPCCore.RPCAsyncSequence<Printtrail_Dcam_V1_AgentMessage, any Swift.Error>,
            response: GRPCCore.RPCWriter<Printtrail_Dcam_V1_HubMessage>,
            context: GRPCCore.ServerContext
        ) async throws

        /// Handle the "CheckIn" method.
        ///
        /// > Source IDL Documentation:
        /// >
        /// > Normal mode: one exchange with the same meaning, for networks that do not keep connections. An empty batch asks what is held. In both modes
        /// > the fast lane.
        ///
        /// - Parameters:
        ///   - request: A `Printtrail_Dcam_V1_CheckInRequest` message.
        ///   - context: Context providing information about the RPC.
        /// - Throws: Any error which occurred during the processing of the request. Thrown errors
        ///     of type `RPCError` are mapped to appropriate statuses. All other errors are converted
        ///     to an internal error.
        /// - Returns: A `Printtrail_Dcam_V1_CheckInResponse` to respond with.
        func checkIn(
            request: Printtrail_Dcam_V1_CheckInRequest,
            context: GRPCCore.ServerContext
        ) async throws -> Printtrail_Dcam_V1_CheckInResponse
    }
}

// Default implementation of 'registerMethods(with:)'.
@available(macOS 15.0, iOS 18.0, watchOS 11.0, tvOS 18.0, visionOS 2.0, *)
extension Printtrail_Dcam_V1_DeviceCollection.StreamingServiceProtocol {
    package func registerMethods<Transport>(with router: inout GRPCCore.RPCRouter<Transport>) where Transport: GRPCCore.ServerTransport {
        router.registerHandler(
            forMethod: Printtrail_Dcam_V1_DeviceCollection.Method.Stream.descriptor,
            deserializer: GRPCProtobuf.ProtobufDeserializer<Printtrail_Dcam_V1_AgentMessage>(),
            serializer: GRPCProtobuf.ProtobufSerializer<Printtrail_Dcam_V1_HubMessage>(),
            handler: { request, context in
                try await self.stream(
                    request: request,
                    context: context
                )
            }
        )
        router.registerHandler(
            forMethod: Printtrail_Dcam_V1_DeviceCollection.Method.CheckIn.descriptor,
            deserializer: GRPCProtobuf.ProtobufDeserializer<Printtrail_Dcam_V1_CheckInRequest>(),
            serializer: GRPCProtobuf.ProtobufSerializer<Printtrail_Dcam_V1_CheckInResponse>(),
            handler: { request, context in
                try await self.checkIn(
                    request: request,
                    context: context
                )
            }
        )
    }
}

// Default implementation of streaming methods from 'StreamingServiceProtocol'.
@available(macOS 15.0, iOS 18.0, watchOS 11.0, tvOS 18.0, visionOS 2.0, *)
extension Printtrail_Dcam_V1_DeviceCollection.ServiceProtocol {
    package func checkIn(
        request: GRPCCore.StreamingServerRequest<Printtrail_Dcam_V1_CheckInRequest>,
        context: GRPCCore.ServerContext
    ) async throws -> GRPCCore.StreamingServerResponse<Printtrail_Dcam_V1_CheckInResponse> {
        let response = try await self.checkIn(
            request: GRPCCore.ServerRequest(stream: request),
            context: context
        )
        return GRPCCore.StreamingServerResponse(single: response)
    }
}

// Default implementation of methods from 'ServiceProtocol'.
@available(macOS 15.0, iOS 18.0, watchOS 11.0, tvOS 18.0, visionOS 2.0, *)
extension Printtrail_Dcam_V1_DeviceCollection.SimpleServiceProtocol {
    package func stream(
        request: GRPCCore.StreamingServerRequest<Printtrail_Dcam_V1_AgentMessage>,
        context: GRPCCore.ServerContext
    ) async throws -> GRPCCore.StreamingServerResponse<Printtrail_Dcam_V1_HubMessage> {
        return GRPCCore.StreamingServerResponse<Printtrail_Dcam_V1_HubMessage>(
            metadata: [:],
            producer: { writer in
                try await self.stream(
                    request: request.messages,
                    response: writer,
                    context: context
                )
                return [:]
            }
        )
    }

    package func checkIn(
        request: GRPCCore.ServerRequest<Printtrail_Dcam_V1_CheckInRequest>,
        context: GRPCCore.ServerContext
    ) async throws -> GRPCCore.ServerResponse<Printtrail_Dcam_V1_CheckInResponse> {
        return GRPCCore.ServerResponse<Printtrail_Dcam_V1_CheckInResponse>(
            message: try await self.checkIn(
                request: request.message,
                context: context
            ),
            metadata: [:]
        )
    }
}

// MARK: printtrail.dcam.v1.DeviceCollection (client)

@available(macOS 15.0, iOS 18.0, watchOS 11.0, tvOS 18.0, visionOS 2.0, *)
extension Printtrail_Dcam_V1_DeviceCollection {
    /// Generated client protocol for the "printtrail.dcam.v1.DeviceCollection" service.
    ///
    /// You don't need to implement this protocol directly, use the generated
    /// implementation, ``Client``.
    package protocol ClientProtocol: Sendable {
        /// Call the "Stream" method.
        ///
        /// > Source IDL Documentation:
        /// >
        /// > Service mode: records up, acknowledgements down, for as long as both live.
        ///
        /// - Parameters:
        ///   - request: A streaming request producing `Printtrail_Dcam_V1_AgentMessage` messages.
        ///   - serializer: A serializer for `Printtrail_Dcam_V1_AgentMessage` messages.
        ///   - deserializer: A deserializer for `Printtrail_Dcam_V1_HubMessage` messages.
        ///   - options: Options to apply to this RPC.
        ///   - handleResponse: A closure which handles the response and returns its result to
        ///       the caller. Returning from the closure will cancel the RPC if it hasn't
        ///       already finished.
        /// - Returns: The result of `handleResponse`.
        func stream<Result>(
            request: GRPCCore.StreamingClientRequest<Printtrail_Dcam_V1_AgentMessage>,
            serializer: some GRPCCore.MessageSerializer<Printtrail_Dcam_V1_AgentMessage>,
            deserializer: some GRPCCore.MessageDeserializer<Printtrail_Dcam_V1_HubMessage>,
            options: GRPCCore.CallOptions,
            onResponse handleResponse: @Sendable @escaping (GRPCCore.StreamingClientResponse<Printtrail_Dcam_V1_HubMessage>) async throws -> Result
        ) async throws -> Result where Result: Sendable

        /// Call the "CheckIn" method.
        ///
        /// > Source IDL Documentation:
        /// >
        /// > Normal mode: one exchange with the same meaning, for networks that do not keep connections. An empty batch asks what is held. In both modes
        /// > the fast lane.
        ///
        /// - Parameters:
        ///   - request: A request containing a single `Printtrail_Dcam_V1_CheckInRequest` message.
        ///   - serializer: A serializer for `Printtrail_Dcam_V1_CheckInRequest` messages.
        ///   - deserializer: A deserializer for `Printtrail_Dcam_V1_CheckInResponse` messages.
        ///   - options: Options to apply to this RPC.
        ///   - handleResponse: A closure which handles the response and returns its result to
        ///       the caller. Returning from the closure will cancel the RPC if it hasn't
        ///       already finished.
        /// - Returns: The result of `handleResponse`.
        func checkIn<Result>(
            request: GRPCCore.ClientRequest<Printtrail_Dcam_V1_CheckInRequest>,
            serializer: some GRPCCore.MessageSerializer<Printtrail_Dcam_V1_CheckInRequest>,
            deserializer: some GRPCCore.MessageDeserializer<Printtrail_Dcam_V1_CheckInResponse>,
            options: GRPCCore.CallOptions,
            onResponse handleResponse: @Sendable @escaping (GRPCCore.ClientResponse<Printtrail_Dcam_V1_CheckInResponse>) async throws -> Result
        ) async throws -> Result where Result: Sendable
    }

    /// Generated client for the "printtrail.dcam.v1.DeviceCollection" service.
    ///
    /// The ``Client`` provides an implementation of ``ClientProtocol`` which wraps
    /// a `GRPCCore.GRPCCClient`. The underlying `GRPCClient` provides the long-lived
    /// means of communication with the remote peer.
    package struct Client<Transport>: ClientProtocol where Transport: GRPCCore.ClientTransport {
        private let client: GRPCCore.GRPCClient<Transport>

        /// Creates a new client wrapping the provided `GRPCCore.GRPCClient`.
        ///
        /// - Parameters:
        ///   - client: A `GRPCCore.GRPCClient` providing a communication channel to the service.
        package init(wrapping client: GRPCCore.GRPCClient<Transport>) {
            self.client = client
        }

        /// Call the "Stream" method.
        ///
        /// > Source IDL Documentation:
        /// >
        /// > Service mode: records up, acknowledgements down, for as long as both live.
        ///
        /// - Parameters:
        ///   - request: A streaming request producing `Printtrail_Dcam_V1_AgentMessage` messages.
        ///   - serializer: A serializer for `Printtrail_Dcam_V1_AgentMessage` messages.
        ///   - deserializer: A deserializer for `Printtrail_Dcam_V1_HubMessage` messages.
        ///   - options: Options to apply to this RPC.
        ///   - handleResponse: A closure which handles the response and returns its result to
        ///       the caller. Returning from the closure will cancel the RPC if it hasn't
        ///       already finished.
        /// - Returns: The result of `handleResponse`.
        package func stream<Result>(
            request: GRPCCore.StreamingClientRequest<Printtrail_Dcam_V1_AgentMessage>,
            serializer: some GRPCCore.MessageSerializer<Printtrail_Dcam_V1_AgentMessage>,
            deserializer: some GRPCCore.MessageDeserializer<Printtrail_Dcam_V1_HubMessage>,
            options: GRPCCore.CallOptions = .defaults,
            onResponse handleResponse: @Sendable @escaping (GRPCCore.StreamingClientResponse<Printtrail_Dcam_V1_HubMessage>) async throws -> Result
        ) async throws -> Result where Result: Sendable {
            try await self.client.bidirectionalStreaming(
                request: request,
                descriptor: Printtrail_Dcam_V1_DeviceCollection.Method.Stream.descriptor,
                serializer: serializer,
                deserializer: deserializer,
                options: options,
                onResponse: handleResponse
            )
        }

        /// Call the "CheckIn" method.
        ///
        /// > Source IDL Documentation:
        /// >
        /// > Normal mode: one exchange with the same meaning, for networks that do not keep connections. An empty batch asks what is held. In both modes
        /// > the fast lane.
        ///
        /// - Parameters:
        ///   - request: A request containing a single `Printtrail_Dcam_V1_CheckInRequest` message.
        ///   - serializer: A serializer for `Printtrail_Dcam_V1_CheckInRequest` messages.
        ///   - deserializer: A deserializer for `Printtrail_Dcam_V1_CheckInResponse` messages.
        ///   - options: Options to apply to this RPC.
        ///   - handleResponse: A closure which handles the response and returns its result to
        ///       the caller. Returning from the closure will cancel the RPC if it hasn't
        ///       already finished.
        /// - Returns: The result of `handleResponse`.
        package func checkIn<Result>(
            request: GRPCCore.ClientRequest<Printtrail_Dcam_V1_CheckInRequest>,
            serializer: some GRPCCore.MessageSerializer<Printtrail_Dcam_V1_CheckInRequest>,
            deserializer: some GRPCCore.MessageDeserializer<Printtrail_Dcam_V1_CheckInResponse>,
            options: GRPCCore.CallOptions = .defaults,
            onResponse handleResponse: @Sendable @escaping (GRPCCore.ClientResponse<Printtrail_Dcam_V1_CheckInResponse>) async throws -> Result = { response in
                try response.message
            }
        ) async throws -> Result where Result: Sendable {
            try await self.client.unary(
                request: request,
                descriptor: Printtrail_Dcam_V1_DeviceCollection.Method.CheckIn.descriptor,
                serializer: serializer,
                deserializer: deserializer,
                options: options,
                onResponse: handleResponse
            )
        }
    }
}

// Helpers providing default arguments to 'ClientProtocol' methods.
@available(macOS 15.0, iOS 18.0, watchOS 11.0, tvOS 18.0, visionOS 2.0, *)
extension Printtrail_Dcam_V1_DeviceCollection.ClientProtocol {
    /// Call the "Stream" method.
    ///
    /// > Source IDL Documentation:
    /// >
    /// > Service mode: records up, acknowledgements down, for as long as both live.
    ///
    /// - Parameters:
    ///   - request: A streaming request producing `Printtrail_Dcam_V1_AgentMessage` messages.
    ///   - options: Options to apply to this RPC.
    ///   - handleResponse: A closure which handles the response and returns its result to
    ///       the caller. Returning from the closure will cancel the RPC if it hasn't
    ///       already finished.
    /// - Returns: The result of `handleResponse`.
    package func stream<Result>(
        request: GRPCCore.StreamingClientRequest<Printtrail_Dcam_V1_AgentMessage>,
        options: GRPCCore.CallOptions = .defaults,
        onResponse handleResponse: @Sendable @escaping (GRPCCore.StreamingClientResponse<Printtrail_Dcam_V1_HubMessage>) async throws -> Result
    ) async throws -> Result where Result: Sendable {
        try await self.stream(
            request: request,
            serializer: GRPCProtobuf.ProtobufSerializer<Printtrail_Dcam_V1_AgentMessage>(),
            deserializer: GRPCProtobuf.ProtobufDeserializer<Printtrail_Dcam_V1_HubMessage>(),
            options: options,
            onResponse: handleResponse
        )
    }

    /// Call the "CheckIn" method.
    ///
    /// > Source IDL Documentation:
    /// >
    /// > Normal mode: one exchange with the same meaning, for networks that do not keep connections. An empty batch asks what is held. In both modes
    /// > the fast lane.
    ///
    /// - Parameters:
    ///   - request: A request containing a single `Printtrail_Dcam_V1_CheckInRequest` message.
    ///   - options: Options to apply to this RPC.
    ///   - handleResponse: A closure which handles the response and returns its result to
    ///       the caller. Returning from the closure will cancel the RPC if it hasn't
    ///       already finished.
    /// - Returns: The result of `handleResponse`.
    package func checkIn<Result>(
        request: GRPCCore.ClientRequest<Printtrail_Dcam_V1_CheckInRequest>,
        options: GRPCCore.CallOptions = .defaults,
        onResponse handleResponse: @Sendable @escaping (GRPCCore.ClientResponse<Printtrail_Dcam_V1_CheckInResponse>) async throws -> Result = { response in
            try response.message
        }
    ) async throws -> Result where Result: Sendable {
        try await self.checkIn(
            request: request,
            serializer: GRPCProtobuf.ProtobufSerializer<Printtrail_Dcam_V1_CheckInRequest>(),
            deserializer: GRPCProtobuf.ProtobufDeserializer<Printtrail_Dcam_V1_CheckInResponse>(),
            options: options,
            onResponse: handleResponse
        )
    }
}

// Helpers providing sugared APIs for 'ClientProtocol' methods.
@available(macOS 15.0, iOS 18.0, watchOS 11.0, tvOS 18.0, visionOS 2.0, *)
extension Printtrail_Dcam_V1_DeviceCollection.ClientProtocol {
    /// Call the "Stream" method.
    ///
    /// > Source IDL Documentation:
    /// >
    /// > Service mode: records up, acknowledgements down, for as long as both live.
    ///
    /// - Parameters:
    ///   - metadata: Additional metadata to send, defaults to empty.
    ///   - options: Options to apply to this RPC, defaults to `.defaults`.
    ///   - producer: A closure producing request messages to send to the server. Returning
    ///       from the closure closes the request stream.
    ///   - handleResponse: A closure which handles the response and returns its result to
    ///       the caller. Returning from the closure will cancel the RPC if it hasn't
    ///       already finished.
    /// - Returns: The result of `handleResponse`.
    package func stream<Result>(
        metadata: GRPCCore.Metadata = [:],
        options: GRPCCore.CallOptions = .defaults,
        requestProducer producer: @Sendable @escaping (GRPCCore.RPCWriter<Printtrail_Dcam_V1_AgentMessage>) async throws -> Void,
        onResponse handleResponse: @Sendable @escaping (GRPCCore.StreamingClientResponse<Printtrail_Dcam_V1_HubMessage>) async throws -> Result
    ) async throws -> Result where Result: Sendable {
        let request = GRPCCore.StreamingClientRequest<Printtrail_Dcam_V1_AgentMessage>(
            metadata: metadata,
            producer: producer
        )
        return try await self.stream(
            request: request,
            options: options,
            onResponse: handleResponse
        )
    }

    /// Call the "CheckIn" method.
    ///
    /// > Source IDL Documentation:
    /// >
    /// > Normal mode: one exchange with the same meaning, for networks that do not keep connections. An empty batch asks what is held. In both modes
    /// > the fast lane.
    ///
    /// - Parameters:
    ///   - message: request message to send.
    ///   - metadata: Additional metadata to send, defaults to empty.
    ///   - options: Options to apply to this RPC, defaults to `.defaults`.
    ///   - handleResponse: A closure which handles the response and returns its result to
    ///       the caller. Returning from the closure will cancel the RPC if it hasn't
    ///       already finished.
    /// - Returns: The result of `handleResponse`.
    package func checkIn<Result>(
        _ message: Printtrail_Dcam_V1_CheckInRequest,
        metadata: GRPCCore.Metadata = [:],
        options: GRPCCore.CallOptions = .defaults,
        onResponse handleResponse: @Sendable @escaping (GRPCCore.ClientResponse<Printtrail_Dcam_V1_CheckInResponse>) async throws -> Result = { response in
            try response.message
        }
    ) async throws -> Result where Result: Sendable {
        let request = GRPCCore.ClientRequest<Printtrail_Dcam_V1_CheckInRequest>(
            message: message,
            metadata: metadata
        )
        return try await self.checkIn(
            request: request,
            options: options,
            onResponse: handleResponse
        )
    }
}