# What is installed, and the Debian package of it: `make package`.
include(GNUInstallDirs)
set(package ${CMAKE_CURRENT_LIST_DIR}/package)

install(TARGETS realtime-strategies RUNTIME DESTINATION bin)
install(FILES ${package}/realtime-strategies.service DESTINATION lib/systemd/system)
install(FILES ${package}/environment DESTINATION /etc/realtime-strategies)
install(FILES ${CMAKE_SOURCE_DIR}/LICENSE RENAME copyright
        DESTINATION share/doc/petrosa-realtime-strategies)
# What the binary says of itself, asked for at the moment of installing.
set(said ${CMAKE_BINARY_DIR}/said)
install(
  CODE "
    set(binary $<TARGET_FILE:realtime-strategies>)
    file(MAKE_DIRECTORY ${said})
    foreach(shell bash zsh fish)
      execute_process(COMMAND \${binary} completion \${shell} OUTPUT_FILE ${said}/\${shell}
                      COMMAND_ERROR_IS_FATAL ANY)
    endforeach()
    execute_process(COMMAND \${binary} help man COMMAND gzip -9n OUTPUT_FILE ${said}/man.gz
                    COMMAND_ERROR_IS_FATAL ANY)")
install(FILES ${said}/bash RENAME realtime-strategies DESTINATION share/bash-completion/completions)
install(FILES ${said}/zsh RENAME _realtime-strategies DESTINATION share/zsh/vendor-completions)
install(FILES ${said}/fish RENAME realtime-strategies.fish
        DESTINATION share/fish/vendor_completions.d)
install(FILES ${said}/man.gz RENAME realtime-strategies.1.gz DESTINATION share/man/man1)
# The page that stands alone: the others lead to each other and into the source.
install(FILES ${CMAKE_SOURCE_DIR}/docs/CONFIGURATION.md
        DESTINATION share/doc/petrosa-realtime-strategies)

set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME petrosa-realtime-strategies)
set(CPACK_PACKAGE_VENDOR "Petrosa")
set(CPACK_PACKAGE_CONTACT "The Petrosa Realtime Strategies authors <maintainers@petrosa.invalid>")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "market data on NATS to orders on NATS")
set(CPACK_PACKAGE_DESCRIPTION "Reads Binance market data from NATS, runs three strategies over it and
publishes orders to NATS. Comes with a systemd unit that is not started by itself.")
set(CPACK_PACKAGE_HOMEPAGE_URL "https://github.com/petrosa/petrosa-realtime-strategies")
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SECTION net)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_DEPENDS "adduser, ca-certificates")
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)
set(CPACK_DEBIAN_PACKAGE_CONTROL_EXTRA
    ${package}/conffiles ${package}/postinst ${package}/prerm ${package}/postrm)
# Read when cpack runs, because the version is that of the moment.
set(CPACK_PROJECT_CONFIG_FILE ${package}/cpack.cmake)
set(CPACK_SOURCE_DIR_OF_GIT ${CMAKE_SOURCE_DIR})
include(CPack)
