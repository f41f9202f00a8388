"""Envoy's v3 API as far as it is read here: which fields each message has, and of what type.

A field is named with its type where it has an effect here, with `ANY` where Envoy has it and it is taken without one, with "unsupported"
where taking it silently would mislead. Source: the v3 API reference (envoyproxy.io/docs, api-v3).
"""

from __future__ import annotations

from collections.abc import Mapping

ANY = "any"
PREFIX = "type.googleapis.com/"
Schema = Mapping[str, str]

CORE, ENDPOINT, LISTENER, ROUTE = "envoy.config.core.v3", "envoy.config.endpoint.v3", "envoy.config.listener.v3", "envoy.config.route.v3"
CLUSTER, TLS, MATCHER = "envoy.config.cluster.v3", "envoy.extensions.transport_sockets.tls.v3", "envoy.type.matcher.v3"
NETWORK, HTTP_FILTERS = "envoy.extensions.filters.network", "envoy.extensions.filters.http"
HCM = f"{NETWORK}.http_connection_manager.v3.HttpConnectionManager"
TCP_PROXY = f"{NETWORK}.tcp_proxy.v3.TcpProxy"
ROUTER, FAULT = f"{HTTP_FILTERS}.router.v3.Router", f"{HTTP_FILTERS}.fault.v3.HTTPFault"
UPSTREAM_TLS, DOWNSTREAM_TLS = f"{TLS}.UpstreamTlsContext", f"{TLS}.DownstreamTlsContext"
STDOUT = ("envoy.extensions.access_loggers.stream.v3.StdoutAccessLog", "envoy.extensions.access_loggers.stream.v3.StderrAccessLog")
FILE_LOG = "envoy.extensions.access_loggers.file.v3.FileAccessLog"
LISTENER_FILTERS = "envoy.extensions.filters.listener"
V2 = {
    "envoy.config.filter.network.http_connection_manager.v2.HttpConnectionManager": HCM, "envoy.config.filter.http.router.v2.Router": ROUTER,
    "envoy.config.filter.network.tcp_proxy.v2.TcpProxy": TCP_PROXY, "envoy.api.v2.auth.DownstreamTlsContext": DOWNSTREAM_TLS,
    "envoy.api.v2.auth.UpstreamTlsContext": UPSTREAM_TLS, "envoy.config.accesslog.v2.FileAccessLog": FILE_LOG,
}  # fmt: skip
"""What the v2 API's types are called in v3 (envoyproxy.io/docs, "Converting from v2 to v3")."""

# Message -> field -> type: a scalar's name, another message, [a list], {a map} or an enum's values with bars between.
SCHEMA: dict[str, Schema] = {
    "envoy.config.bootstrap.v3.Bootstrap": {
        "node": ANY, "static_resources": "envoy.config.bootstrap.v3.Bootstrap.StaticResources", "admin": "envoy.config.bootstrap.v3.Admin",
        "layered_runtime": ANY, "stats_config": ANY, "stats_sinks": ANY, "stats_flush_interval": "duration", "overload_manager": ANY,
        "watchdog": ANY, "watchdogs": ANY, "flags_path": "string", "default_regex_engine": ANY, "application_log_config": ANY,
        "dynamic_resources": "unsupported", "cluster_manager": "envoy.config.bootstrap.v3.ClusterManager", "enable_dispatcher_stats": "bool",
        "tracing": ANY,
    },
    "envoy.config.bootstrap.v3.Bootstrap.StaticResources": {"listeners": f"[{LISTENER}.Listener]", "clusters": f"[{CLUSTER}.Cluster]",
    "secrets": ANY},
    "envoy.config.bootstrap.v3.ClusterManager": {
        "outlier_detection": "envoy.config.bootstrap.v3.ClusterManager.OutlierDetection", "local_cluster_name": ANY, "upstream_bind_config": ANY,
        "load_stats_config": ANY, "enable_deferred_cluster_creation": ANY,
    },
    "envoy.config.bootstrap.v3.ClusterManager.OutlierDetection": {"event_log_path": "string", "event_service": ANY},
    "envoy.config.bootstrap.v3.Admin": {
        "access_log": ANY, "access_log_path": "string", "profile_path": "string", "address": f"{CORE}.Address", "socket_options": ANY,
        "ignore_global_conn_limit": "bool",
    },
    f"{CORE}.Address": {"socket_address": f"{CORE}.SocketAddress", "pipe": "unsupported"},
    f"{CORE}.SocketAddress": {"protocol": "TCP|UDP", "address": "string", "port_value": "port", "named_port": "unsupported", "ipv4_compat": "bool",
                              "resolver_name": "string"},
    f"{CORE}.DataSource": {"filename": "string", "inline_string": "string", "inline_bytes": "string", "environment_variable": "string",
                           "watched_directory": ANY},
    f"{CORE}.TransportSocket": {"name": "string", "typed_config": "typed"},
    f"{LISTENER}.Listener": {
        "name": "string", "address": f"{CORE}.Address", "filter_chains": f"[{LISTENER}.FilterChain]",
        "default_filter_chain": f"{LISTENER}.FilterChain",
        "listener_filters": f"[{LISTENER}.ListenerFilter]", "use_original_dst": "bool", "stat_prefix": "string", "traffic_direction": ANY,
        "per_connection_buffer_limit_bytes": ANY, "listener_filters_timeout": "duration", "access_log": ANY, "metadata": ANY, "socket_options": ANY,
        "connection_balance_config": ANY, "reuse_port": ANY, "enable_reuse_port": ANY, "bind_to_port": "bool", "transparent": ANY, "drain_type": ANY,
        "continue_on_listener_filters_timeout": "bool", "freebind": ANY, "tcp_backlog_size": ANY,
    },
    f"{LISTENER}.ListenerFilter": {"name": "string", "typed_config": "typed", "filter_disabled": ANY},
    f"{LISTENER}.FilterChain": {
        "filter_chain_match": f"{LISTENER}.FilterChainMatch", "filters": f"[{LISTENER}.Filter]", "transport_socket": f"{CORE}.TransportSocket",
        "name": "string", "metadata": ANY, "transport_socket_connect_timeout": "duration", "use_proxy_proto": ANY,
    },
    f"{LISTENER}.FilterChainMatch": {
        "server_names": "[string]", "transport_protocol": "string", "application_protocols": ANY, "destination_port": "uint32",
        "prefix_ranges": ANY, "source_prefix_ranges": ANY, "source_type": ANY, "source_ports": ANY,
    },
    f"{LISTENER}.Filter": {"name": "string", "typed_config": "typed"},
    HCM: {
        "codec_type": "AUTO|HTTP1|HTTP2|HTTP3", "stat_prefix": "string", "route_config": f"{ROUTE}.RouteConfiguration", "rds": "unsupported",
        "scoped_routes": "unsupported", "http_filters": f"[{NETWORK}.http_connection_manager.v3.HttpFilter]", "add_user_agent": ANY, "tracing": ANY,
        "common_http_protocol_options": ANY, "http_protocol_options": ANY, "http2_protocol_options": ANY, "server_name": "string",
        "server_header_transformation": "OVERWRITE|APPEND_IF_ABSENT|PASS_THROUGH", "stream_idle_timeout": "duration", "request_timeout": "duration",
        "drain_timeout": "duration", "access_log": "[envoy.config.accesslog.v3.AccessLog]", "use_remote_address": "bool", "xff_num_trusted_hops": ANY,
        "skip_xff_append": "bool", "via": "string", "generate_request_id": "bool", "preserve_external_request_id": "bool",
        "always_set_request_id_in_response": "bool",
        "forward_client_cert_details": "SANITIZE|FORWARD_ONLY|APPEND_FORWARD|SANITIZE_SET|ALWAYS_FORWARD_ONLY",
        "set_current_client_cert_details": f"{NETWORK}.http_connection_manager.v3.HttpConnectionManager.SetCurrentClientCertDetails",
        "upgrade_configs": ANY, "normalize_path": ANY, "merge_slashes": ANY, "strip_matching_host_port": "bool", "strip_any_host_port": "bool",
        "path_with_escaped_slashes_action": ANY, "local_reply_config": ANY, "request_headers_timeout": ANY, "max_request_headers_kb": ANY,
        "internal_address_config": ANY, "delayed_close_timeout": ANY, "access_log_options": ANY,
    },
    f"{NETWORK}.http_connection_manager.v3.HttpConnectionManager.SetCurrentClientCertDetails": {
        "subject": "bool", "cert": "bool", "chain": "bool", "dns": "bool", "uri": "bool",
    },
    f"{NETWORK}.http_connection_manager.v3.HttpFilter": {"name": "string", "typed_config": "typed", "is_optional": "bool", "disabled": "bool",
                                                         "config_discovery": "unsupported"},
    ROUTER: {"dynamic_stats": ANY, "start_child_span": ANY, "suppress_envoy_headers": "bool", "upstream_log": ANY, "strict_check_headers": ANY,
             "respect_expected_rq_timeout": ANY},
    FAULT: {"delay": "envoy.extensions.filters.common.fault.v3.FaultDelay", "abort": f"{HTTP_FILTERS}.fault.v3.FaultAbort",
    "upstream_cluster": "string",
            "headers": f"[{ROUTE}.HeaderMatcher]", "max_active_faults": ANY},
    "envoy.extensions.filters.common.fault.v3.FaultDelay": {"fixed_delay": "duration", "percentage": "envoy.type.v3.FractionalPercent"},
    f"{HTTP_FILTERS}.fault.v3.FaultAbort": {"http_status": "uint32", "percentage": "envoy.type.v3.FractionalPercent", "grpc_status": ANY},
    "envoy.type.v3.FractionalPercent": {"numerator": "uint32", "denominator": "HUNDRED|TEN_THOUSAND|MILLION"},
    "envoy.type.v3.Percent": {"value": "double"},
    TCP_PROXY: {"stat_prefix": "string", "cluster": "string", "weighted_clusters": "unsupported", "idle_timeout": "duration",
                "access_log": "[envoy.config.accesslog.v3.AccessLog]", "max_connect_attempts": "uint32", "hash_policy": ANY, "metadata_match": ANY},
    "envoy.config.accesslog.v3.AccessLog": {"name": "string", "filter": "unsupported", "typed_config": "typed"},
    STDOUT[0]: {"log_format": f"{CORE}.SubstitutionFormatString"},
    STDOUT[1]: {"log_format": f"{CORE}.SubstitutionFormatString"},
    FILE_LOG: {"path": "string", "format": "string", "json_format": "raw", "typed_json_format": ANY,
    "log_format": f"{CORE}.SubstitutionFormatString"},
    f"{CORE}.SubstitutionFormatString": {
        "text_format": "string", "text_format_source": f"{CORE}.DataSource", "json_format": "raw", "omit_empty_values": "bool",
        "content_type": "string",
        "formatters": ANY, "json_format_options": ANY,
    },
    f"{LISTENER_FILTERS}.original_dst.v3.OriginalDst": {"transparency": ANY},
    f"{LISTENER_FILTERS}.tls_inspector.v3.TlsInspector": {"enable_ja3_fingerprinting": ANY, "initial_read_buffer_size": ANY},
    f"{LISTENER_FILTERS}.http_inspector.v3.HttpInspector": {},
    f"{ROUTE}.RouteConfiguration": {
        "name": "string", "virtual_hosts": f"[{ROUTE}.VirtualHost]", "response_headers_to_add": f"[{CORE}.HeaderValueOption]",
        "response_headers_to_remove": "[string]", "request_headers_to_add": f"[{CORE}.HeaderValueOption]", "request_headers_to_remove": "[string]",
        "validate_clusters": "bool", "internal_only_headers": ANY, "most_specific_header_mutations_wins": ANY, "ignore_port_in_host_matching": "bool",
        "max_direct_response_body_size_bytes": ANY, "vhds": "unsupported",
    },
    f"{ROUTE}.VirtualHost": {
        "name": "string", "domains": "[string]", "routes": f"[{ROUTE}.Route]", "require_tls": "NONE|EXTERNAL_ONLY|ALL", "virtual_clusters": ANY,
        "rate_limits": ANY, "request_headers_to_add": f"[{CORE}.HeaderValueOption]", "request_headers_to_remove": "[string]",
        "response_headers_to_add": f"[{CORE}.HeaderValueOption]", "response_headers_to_remove": "[string]", "cors": ANY,
        "typed_per_filter_config": ANY,
        "include_request_attempt_count": "bool", "include_attempt_count_in_response": "bool", "retry_policy": f"{ROUTE}.RetryPolicy", "metadata": ANY,
        "per_request_buffer_limit_bytes": ANY, "hedge_policy": ANY,
    },
    f"{ROUTE}.Route": {
        "name": "string", "match": f"{ROUTE}.RouteMatch", "route": f"{ROUTE}.RouteAction", "redirect": f"{ROUTE}.RedirectAction",
        "direct_response": f"{ROUTE}.DirectResponseAction", "metadata": ANY, "decorator": ANY, "typed_per_filter_config": ANY,
        "request_headers_to_add": f"[{CORE}.HeaderValueOption]", "request_headers_to_remove": "[string]",
        "response_headers_to_add": f"[{CORE}.HeaderValueOption]", "response_headers_to_remove": "[string]", "tracing": ANY, "stat_prefix": "string",
    },
    f"{ROUTE}.RouteMatch": {
        "prefix": "string", "path": "string", "safe_regex": f"{MATCHER}.RegexMatcher", "path_separated_prefix": "string", "case_sensitive": "bool",
        "headers": f"[{ROUTE}.HeaderMatcher]", "query_parameters": f"[{ROUTE}.QueryParameterMatcher]", "runtime_fraction": ANY, "grpc": ANY,
        "connect_matcher": ANY, "path_match_policy": "unsupported", "tls_context": ANY,
    },
    f"{ROUTE}.HeaderMatcher": {
        "name": "string", "exact_match": "string", "prefix_match": "string", "suffix_match": "string", "contains_match": "string",
        "safe_regex_match": f"{MATCHER}.RegexMatcher", "present_match": "bool", "invert_match": "bool", "string_match": f"{MATCHER}.StringMatcher",
        "range_match": ANY, "treat_missing_header_as_empty": "bool",
    },
    f"{ROUTE}.QueryParameterMatcher": {"name": "string", "string_match": f"{MATCHER}.StringMatcher", "present_match": "bool"},
    f"{MATCHER}.StringMatcher": {"exact": "string", "prefix": "string", "suffix": "string", "contains": "string", "ignore_case": "bool",
                                 "safe_regex": f"{MATCHER}.RegexMatcher"},
    f"{MATCHER}.RegexMatcher": {"google_re2": ANY, "regex": "string"},
    f"{ROUTE}.RouteAction": {
        "cluster": "string", "cluster_header": "unsupported", "weighted_clusters": f"{ROUTE}.WeightedCluster", "prefix_rewrite": "string",
        "regex_rewrite": "unsupported", "host_rewrite_literal": "string", "auto_host_rewrite": "bool", "timeout": "duration",
        "idle_timeout": "duration",
        "retry_policy": f"{ROUTE}.RetryPolicy", "request_mirror_policies": ANY, "priority": "DEFAULT|HIGH", "hash_policy": ANY, "cors": ANY,
        "max_stream_duration": ANY, "upgrade_configs": ANY, "cluster_not_found_response_code": ANY, "metadata_match": ANY, "rate_limits": ANY,
        "hedge_policy": ANY, "append_x_forwarded_host": ANY,
    },
    f"{ROUTE}.WeightedCluster": {"clusters": f"[{ROUTE}.WeightedCluster.ClusterWeight]", "total_weight": "uint32", "runtime_key_prefix": "string"},
    f"{ROUTE}.WeightedCluster.ClusterWeight": {
        "name": "string", "weight": "uint32", "request_headers_to_add": f"[{CORE}.HeaderValueOption]",
        "response_headers_to_add": f"[{CORE}.HeaderValueOption]", "metadata_match": ANY,
    },
    f"{ROUTE}.RetryPolicy": {
        "retry_on": "string", "num_retries": "uint32", "per_try_timeout": "duration", "per_try_idle_timeout": "duration",
        "retriable_status_codes": "[uint32]", "retry_back_off": f"{ROUTE}.RetryPolicy.RetryBackOff", "retry_host_predicate": ANY,
        "host_selection_retry_max_attempts": ANY, "retry_priority": ANY, "rate_limited_retry_back_off": ANY, "retriable_headers": ANY,
    },
    f"{ROUTE}.RetryPolicy.RetryBackOff": {"base_interval": "duration", "max_interval": "duration"},
    f"{ROUTE}.RedirectAction": {
        "https_redirect": "bool", "scheme_redirect": "string", "host_redirect": "string", "port_redirect": "uint32", "path_redirect": "string",
        "prefix_rewrite": "string", "strip_query": "bool",
        "response_code": "MOVED_PERMANENTLY|FOUND|SEE_OTHER|TEMPORARY_REDIRECT|PERMANENT_REDIRECT",
    },
    f"{ROUTE}.DirectResponseAction": {"status": "uint32", "body": f"{CORE}.DataSource"},
    f"{CORE}.HeaderValueOption": {
        "header": f"{CORE}.HeaderValue", "append": "bool",
        "append_action": "APPEND_IF_EXISTS_OR_ADD|ADD_IF_ABSENT|OVERWRITE_IF_EXISTS_OR_ADD|OVERWRITE_IF_EXISTS", "keep_empty_value": "bool",
    },
    f"{CORE}.HeaderValue": {"key": "string", "value": "string"},
    f"{CLUSTER}.Cluster": {
        "name": "string", "alt_stat_name": "string", "type": "STATIC|STRICT_DNS|LOGICAL_DNS|EDS|ORIGINAL_DST", "connect_timeout": "duration",
        "lb_policy": "ROUND_ROBIN|LEAST_REQUEST|RING_HASH|RANDOM|MAGLEV|CLUSTER_PROVIDED", "load_assignment": f"{ENDPOINT}.ClusterLoadAssignment",
        "health_checks": f"[{CORE}.HealthCheck]", "circuit_breakers": f"{CLUSTER}.CircuitBreakers", "transport_socket": f"{CORE}.TransportSocket",
        "outlier_detection": f"{CLUSTER}.OutlierDetection", "dns_refresh_rate": "duration", "respect_dns_ttl": "bool", "dns_lookup_family": ANY,
        "dns_resolvers": ANY, "typed_dns_resolver_config": ANY, "dns_failure_refresh_rate": ANY,
        "common_lb_config": f"{CLUSTER}.Cluster.CommonLbConfig",
        "typed_extension_protocol_options": ANY, "http2_protocol_options": ANY, "common_http_protocol_options": ANY, "http_protocol_options": ANY,
        "upstream_connection_options": ANY, "metadata": ANY, "per_connection_buffer_limit_bytes": ANY, "max_requests_per_connection": ANY,
        "cleanup_interval": ANY, "wait_for_warm_on_init": ANY, "least_request_lb_config": ANY, "round_robin_lb_config": ANY,
        "load_balancing_policy": ANY,
        "original_dst_lb_config": ANY, "eds_cluster_config": "unsupported", "track_timeout_budgets": ANY, "track_cluster_stats": ANY,
        "close_connections_on_host_health_failure": ANY, "ignore_health_on_host_removal": ANY, "upstream_bind_config": ANY, "protocol_selection": ANY,
        "transport_socket_matches": "unsupported", "lb_subset_config": ANY, "cluster_type": "unsupported", "use_tcp_for_dns_lookups": ANY,
    },
    f"{CLUSTER}.Cluster.CommonLbConfig": {"healthy_panic_threshold": "envoy.type.v3.Percent", "zone_aware_lb_config": ANY,
                                          "locality_weighted_lb_config": ANY, "update_merge_window": ANY, "ignore_new_hosts_until_first_hc": ANY},
    f"{CLUSTER}.CircuitBreakers": {"thresholds": f"[{CLUSTER}.CircuitBreakers.Thresholds]", "per_host_thresholds": ANY},
    f"{CLUSTER}.CircuitBreakers.Thresholds": {
        "priority": "DEFAULT|HIGH", "max_connections": "uint32", "max_pending_requests": "uint32", "max_requests": "uint32", "max_retries": "uint32",
        "retry_budget": ANY, "track_remaining": "bool", "max_connection_pools": ANY,
    },
    f"{CLUSTER}.OutlierDetection": {
        "consecutive_5xx": "uint32", "interval": "duration", "base_ejection_time": "duration", "max_ejection_percent": "uint32",
        "enforcing_consecutive_5xx": "uint32", "enforcing_success_rate": ANY, "success_rate_minimum_hosts": ANY, "success_rate_request_volume": ANY,
        "success_rate_stdev_factor": ANY, "consecutive_gateway_failure": "uint32", "enforcing_consecutive_gateway_failure": "uint32",
        "split_external_local_origin_errors": ANY, "consecutive_local_origin_failure": ANY, "enforcing_consecutive_local_origin_failure": ANY,
        "enforcing_local_origin_success_rate": ANY, "failure_percentage_threshold": ANY, "enforcing_failure_percentage": ANY,
        "failure_percentage_minimum_hosts": ANY, "failure_percentage_request_volume": ANY, "max_ejection_time": "duration",
        "max_ejection_time_jitter": ANY, "always_eject_one_host": "bool", "successful_active_health_check_uneject_host": ANY, "monitors": ANY,
    },
    f"{CORE}.HealthCheck": {
        "timeout": "duration", "interval": "duration", "unhealthy_threshold": "uint32", "healthy_threshold": "uint32", "initial_jitter": ANY,
        "interval_jitter": ANY, "http_health_check": f"{CORE}.HealthCheck.HttpHealthCheck", "tcp_health_check": "unsupported",
        "no_traffic_interval": "duration",
        "no_traffic_healthy_interval": ANY, "unhealthy_interval": ANY, "unhealthy_edge_interval": ANY, "healthy_edge_interval": ANY,
        "event_log_path": ANY, "always_log_health_check_failures": ANY, "reuse_connection": ANY, "alt_port": ANY, "grpc_health_check": "unsupported",
    },
    f"{CORE}.HealthCheck.HttpHealthCheck": {"host": "string", "path": "string", "expected_statuses": ANY, "request_headers_to_add": ANY,
    "method": ANY,
                                            "codec_client_type": ANY, "service_name_matcher": ANY},
    f"{ENDPOINT}.ClusterLoadAssignment": {"cluster_name": "string", "endpoints": f"[{ENDPOINT}.LocalityLbEndpoints]", "policy": ANY},
    f"{ENDPOINT}.LocalityLbEndpoints": {"lb_endpoints": f"[{ENDPOINT}.LbEndpoint]", "locality": ANY, "load_balancing_weight": ANY, "priority": ANY},
    f"{ENDPOINT}.LbEndpoint": {"endpoint": f"{ENDPOINT}.Endpoint", "health_status": ANY, "load_balancing_weight": "uint32", "metadata": ANY},
    f"{ENDPOINT}.Endpoint": {"address": f"{CORE}.Address", "hostname": "string", "health_check_config": ANY},
    UPSTREAM_TLS: {"common_tls_context": f"{TLS}.CommonTlsContext", "sni": "string", "allow_renegotiation": ANY, "max_session_keys": ANY,
                   "auto_host_sni": ANY, "auto_sni_san_validation": ANY},
    DOWNSTREAM_TLS: {"common_tls_context": f"{TLS}.CommonTlsContext", "require_client_certificate": "bool", "require_sni": ANY,
                     "session_timeout": ANY, "disable_stateless_session_resumption": ANY, "full_scan_certs_on_sni_mismatch": ANY,
                     "session_ticket_keys": ANY},
    f"{TLS}.CommonTlsContext": {
        "tls_params": ANY, "tls_certificates": f"[{TLS}.TlsCertificate]", "tls_certificate_sds_secret_configs": "unsupported",
        "validation_context": f"{TLS}.CertificateValidationContext", "validation_context_sds_secret_config": "unsupported", "alpn_protocols": ANY,
        "combined_validation_context": "unsupported", "key_log": ANY,
    },
    f"{TLS}.TlsCertificate": {"certificate_chain": f"{CORE}.DataSource", "private_key": f"{CORE}.DataSource", "password": ANY,
    "watched_directory": ANY,
                              "ocsp_staple": ANY},
    f"{TLS}.CertificateValidationContext": {
        "trusted_ca": f"{CORE}.DataSource", "match_typed_subject_alt_names": f"[{TLS}.SubjectAltNameMatcher]", "verify_certificate_hash": ANY,
        "verify_certificate_spki": ANY, "trust_chain_verification": ANY, "crl": ANY, "allow_expired_certificate": ANY, "max_verify_depth": ANY,
        "watched_directory": ANY, "only_verify_leaf_cert_crl": ANY, "match_subject_alt_names": ANY,
    },
    f"{TLS}.SubjectAltNameMatcher": {"san_type": "SAN_TYPE_UNSPECIFIED|EMAIL|DNS|URI|IP_ADDRESS|OTHER_NAME", "matcher": f"{MATCHER}.StringMatcher"},
}  # fmt: skip
REQUIRED = {
    f"{CLUSTER}.Cluster": ("name",),
    HCM: ("stat_prefix",),
    TCP_PROXY: ("stat_prefix",),
    f"{ROUTE}.VirtualHost": ("name",),
    f"{CORE}.SocketAddress": ("address",),
    f"{CORE}.HealthCheck.HttpHealthCheck": ("path",),
}
"""Strings that must not be empty (the API's min_len: 1)."""
NEEDED = {
    f"{ROUTE}.Route": ("match",),
    f"{ENDPOINT}.LbEndpoint": ("endpoint",),
    f"{CORE}.HealthCheck": ("timeout", "interval", "unhealthy_threshold", "healthy_threshold"),
    f"{CORE}.HeaderValueOption": ("header",),
}
"""Members that must be there (the API's required: true)."""
POSITIVE = {
    f"{CORE}.HealthCheck": ("timeout", "interval"),
    f"{CLUSTER}.OutlierDetection": ("interval", "base_ejection_time"),
    f"{ROUTE}.RetryPolicy.RetryBackOff": ("base_interval", "max_interval"),
}
"""Durations that must be more than nothing (the API's gt: {})."""
REGEX = f"{MATCHER}.RegexMatcher"
